import { Argument } from 'commander';
import { exitCodes } from '../../core/error-codes.ts';
import type { Register } from '../verb.ts';

export const registerCompletion: Register = (program, bind) => {
  program
    .command('completion')
    .description('Print a script that completes verbs, options and names in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', '\nFor this shell only: source <(tidemark completion bash)')
    .action(
      bind(async ({ output }, shell: keyof typeof scripts) => {
        output.raw(scripts[shell]);
        return exitCodes.ok;
      }),
    );
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(
      bind(async ({ catalog, output }, words: readonly string[]) => {
        const { complete } = await import('../complete.ts');
        const found = await complete(program, words, catalog).catch(() => []); // a shell's Tab shows no errors
        output.raw(found.map((one) => `${one}\n`).join(''));
        return exitCodes.ok;
      }),
    );
};

const scripts = {
  bash: `_tidemark() {
  mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _tidemark tidemark
`,
  zsh: `#compdef tidemark
_tidemark() {
  local -a found
  found=("\${(@f)$("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n $found ]] && compadd -- $found || _files
}
compdef _tidemark tidemark
`,
  fish: `complete -c tidemark -a '(set -l words (commandline -opc); tidemark complete -- $words[2..-1] (commandline -ct) 2>/dev/null)'
`,
} as const;
