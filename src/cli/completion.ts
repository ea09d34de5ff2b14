import { type Command, InvalidArgumentError } from 'commander';

import { say } from './terminal.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

function readShell(text: string): Shell {
  const shell = SHELLS.find((each) => each === text);
  if (shell === undefined) throw new InvalidArgumentError(`must be one of ${SHELLS.join(', ')}.`);
  return shell;
}

/** The words after which words may follow: `''` for the beginning, `backups`, … with what may follow. */
export function wordsOf(program: Command): Map<string, string[]> {
  const words = new Map<string, string[]>();
  const visit = (command: Command, path: string): void => {
    const commands = command.commands.map((each) => each.name());
    const options = command.options.flatMap(({ long }) => long ?? []);
    words.set(path, [...commands, ...options]);
    for (const each of command.commands) visit(each, `${path} ${each.name()}`.trim());
  };
  visit(program, '');
  return words;
}

/** A script that completes commands and options; made from the commands themselves, so that it cannot lag behind. */
export function completionScript(program: Command, shell: Shell): string {
  const words = [...wordsOf(program)];
  if (shell === 'fish') {
    const lines = words.flatMap(([path, follows]) =>
      follows.map((word) => `complete -c backstop -f -n '__backstop_at "${path}"' -a '${word}'`),
    );
    return `function __backstop_at
    test (string join ' ' (string match -v -- '-*' (commandline -opc)[2..])) = "$argv[1]"
end
${lines.join('\n')}`;
  }
  const cases = words.map(([path, follows]) => `    '${path}') words='${follows.join(' ')}' ;;`);
  const bash = `_backstop() {
  local path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _backstop backstop`;
  return shell === 'bash' ? bash : `autoload -U +X bashcompinit && bashcompinit\n${bash}`;
}

/** `completion bash|zsh|fish`. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description(`print a completion script: source <(backstop completion bash)`)
    .argument('<shell>', SHELLS.join(', '), readShell)
    .action((shell: Shell) => say(completionScript(program, shell)));
}
