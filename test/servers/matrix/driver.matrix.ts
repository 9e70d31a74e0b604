import { driverContract } from './contract.ts';
import { mariadb118, mysql56, mysql97 } from './server.ts';
import { shopOfMariadb118, shopOfMysql56, shopOfMysql97 } from './shop.ts';

driverContract(mysql97, shopOfMysql97);
driverContract(mysql56, shopOfMysql56);
driverContract(mariadb118, shopOfMariadb118);
