/* What every server must give back equal: by kind, one statement per entry. */

const everywhere: readonly string[] = [
  'CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci',
  'USE shop',
  "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'",
  `CREATE TABLE numbers (id INT PRIMARY KEY, a TINYINT, b SMALLINT UNSIGNED, c MEDIUMINT, d BIGINT UNSIGNED, e DECIMAL(65,30),
     f FLOAT, g DOUBLE, h BIT(64), i BOOL, j YEAR)`,
  `INSERT INTO numbers VALUES (0, -128, 65535, 7, 18446744073709551615, 12345678901234567890.123456789, 1.17549435e-38, 2.2250738585072014e-308, ~0, 1, 2155),
     (1, 127, 0, 0, 0, -0.000000000000000000000000000001, 16777217, 0.30000000000000004, 0, 0, 1901),
     (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (-5, 1, 1, 1, 1, 1, 0.1, 0.1, 0x095c0a0d00094e5c, 1, 0000)`,
  'CREATE TABLE times (id INT PRIMARY KEY, a DATE, b TIME(6), c DATETIME(6), d TIMESTAMP(6) NULL)',
  `INSERT INTO times VALUES (1, '0000-00-00', '-838:59:59', '0000-00-00 00:00:00', '2038-01-19 03:14:07.999999'),
     (2, '9999-12-31', '838:59:58.999999', '9999-12-31 23:59:59.999999', NULL), (3, '2024-00-00', '-00:00:00.000001', '2024-03-00 10:00:00', '2024-03-31 02:30:00.5')`,
  `CREATE TABLE texts (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(200), b VARCHAR(200) CHARACTER SET latin1, c VARCHAR(100) CHARACTER SET utf16,
     e VARCHAR(100) CHARACTER SET gbk, g VARBINARY(300), h BINARY(4), i LONGTEXT, k ENUM('a','ü','c,d','e''f'), l SET('x','ß','z y'), m CHAR(5),
     FULLTEXT KEY words (i), KEY (a(20)))`,
  `INSERT INTO texts (a, b, c, e, g, h, i, k, l, m) VALUES ('tab\\tnl\\nbs\\\\nul\\0q''dq" 😀', 'latin é ÿ', '😀\\\\\\t', '中文\\\\', 0x00010203090a0d5c4e2227ff, 0x00, 'x\\\\N', 'ü', 'x,ß', 'a  '),
     ('', '', '', '', '', '', '', 'c,d', '', ''), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('\\\\N', '\\\\', '\\\\N', 'N', '\\\\N', '\\n', 'null', 'a', 'z y', '\\n')`,
  'CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB)',
  "INSERT INTO big VALUES (1, REPEAT(UNHEX('00090a0d5c272244ff80'), 200000)), (2, '')",
  'CREATE TABLE no_key (a INT, b TEXT)',
  "INSERT INTO no_key VALUES (1, 'same'), (1, 'same'), (NULL, NULL)",
  'CREATE TABLE composite (a VARCHAR(20), b INT, c DATETIME, PRIMARY KEY (a, b, c))',
  "INSERT INTO composite VALUES ('k', 2, '2024-01-01'), ('K2', 1, '2024-01-02'), ('ä', 1, '2024-01-02')",
  'CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY NOT NULL)',
  'INSERT INTO shapes VALUES (1, POINT(92, 10)), (2, POINT(9, 39))',
  'CREATE TABLE parts (id INT, y INT, PRIMARY KEY (id, y)) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)',
  'INSERT INTO parts VALUES (1, 1990), (1, 2020), (2, 2001)',
  'CREATE TABLE parent (id INT PRIMARY KEY)',
  'CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT fk FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)',
  'INSERT INTO parent VALUES (1), (2)',
  'INSERT INTO child VALUES (1, 1), (2, 2), (3, NULL)',
  'CREATE TABLE isam (id INT PRIMARY KEY, t TEXT) ENGINE=MyISAM',
  "INSERT INTO isam VALUES (2, 'b'), (1, 'a\\tb')",
  'CREATE TABLE `odd ``name/ü` (`c``ol` INT PRIMARY KEY, `select` TEXT)',
  "INSERT INTO `odd ``name/ü` VALUES (1, 'x')",
  "CREATE VIEW z_view AS SELECT id, a, 'é' AS accent FROM texts",
  'CREATE VIEW a_view AS SELECT id FROM z_view WHERE id > 0',
  'CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2',
  "CREATE PROCEDURE several(OUT n INT) BEGIN SET n = 1; /* ;; */ SELECT COUNT(*) INTO n FROM texts WHERE a <> 'é'; END",
  'CREATE TRIGGER counted BEFORE INSERT ON parent FOR EACH ROW SET @count = COALESCE(@count, 0) + 1',
  "SET SESSION time_zone = '+03:00'",
  "CREATE EVENT daily ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 02:00:00' DISABLE DO DELETE FROM no_key WHERE a = 7",
  "SET SESSION time_zone = '+00:00'",
];

const newer: readonly string[] = [
  `CREATE TABLE computed (id INT PRIMARY KEY, v INT AS (id * 2) VIRTUAL, s VARCHAR(50) AS (CONCAT('n', id)) STORED, w INT, j JSON, hidden INT DEFAULT 7 INVISIBLE,
     KEY (s), CONSTRAINT positive CHECK (w > 0 OR w IS NULL))`,
  `INSERT INTO computed (id, w, j, hidden) VALUES (1, 5, '{"a": "b\\\\n\\\\t"}', 11), (2, NULL, '[]', DEFAULT), (3, 9, NULL, 12)`,
];

export const shopOfMysql56 = everywhere;

export const shopOfMysql97: readonly string[] = [
  ...everywhere,
  ...newer,
  'CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3))',
  "INSERT INTO vectors VALUES (1, TO_VECTOR('[1.5, -2, 0.1]')), (2, NULL)",
  'CREATE TABLE collated (id INT PRIMARY KEY, t VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, p POINT NOT NULL SRID 4326, KEY ((LOWER(t))), SPATIAL KEY (p))',
  "INSERT INTO collated VALUES (1, 'Ünï', ST_GeomFromText('POINT(10 20)', 4326))",
];

export const shopOfMariadb118: readonly string[] = [
  ...everywhere,
  ...newer,
  'CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, VECTOR KEY (v))',
  "INSERT INTO vectors VALUES (1, VEC_FromText('[1.5, -2, 0.1]'))",
  'CREATE SEQUENCE numbering START WITH 10 INCREMENT BY 5 NOCACHE',
  'CREATE TABLE special (id INT PRIMARY KEY DEFAULT (NEXT VALUE FOR numbering), u UUID, i INET6, f INET4)',
  "INSERT INTO special (u, i, f) VALUES ('123e4567-e89b-12d3-a456-426655440000', '2001:db8::ff00:42:8329', '10.0.0.1')",
  "SET SESSION sql_mode = 'ORACLE'",
  'CREATE PACKAGE tools AS FUNCTION one RETURN INT; END',
  'CREATE PACKAGE BODY tools AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END',
  "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
];
