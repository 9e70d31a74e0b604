/** Pages written by hand that quote the code: what stands between the marks is replaced by what the code says today. */

const quote = /(<!-- quote (\S+) (\w+) -->\n)[\s\S]*?(<!-- end of quote -->)/g;

/** The page with its quotes as they are now. `read` gives the text of a file, by its path from the root of the project. */
export function withQuotes(page: string, read: (path: string) => string): string {
  return page.replace(
    quote,
    (_, begin: string, path: string, name: string, end: string) =>
      `${begin}\n\`\`\`ts\n// ${path}\n${declaration(read(path), name, path)}\n\`\`\`\n\n${end}`,
  );
}

/** A declaration at the top of a file, with its comment. Throws when there is none of that name. */
function declaration(text: string, name: string, path: string): string {
  const lines = text.split('\n');
  const at = lines.findIndex((line) =>
    new RegExp(`^(export )?(async )?(function|const|interface|type|class) ${name}\\b`).test(line),
  );
  if (at < 0) throw new Error(`${path} declares no ${name}, which a page of the documentation quotes`);
  const end = /[;}]$/.test(lines[at]!) ? at : lines.findIndex((line, index) => index > at && /^(\}|\]|\);)/.test(line));
  return lines.slice(commentAbove(lines, at), end + 1).join('\n');
}

function commentAbove(lines: readonly string[], at: number): number {
  let start = at;
  while (start > 0 && /^(\/\*\*| \*)/.test(lines[start - 1]!)) start -= 1;
  return start;
}
