"""How bash, zsh and fish ask bpcli for completions.

They are Click's own ways with three differences. After a key such as `train.epochs=` comes no space; in bash files are
offered where nothing else fits, and a value after `=` is completed though bash makes words of its own of it.
"""

import os
from typing import NamedTuple

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from bpcli.cli import COMPLETE

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response completion type value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete $1)
    for completion in $response; do
        type=${completion%%%%,*} value=${completion#*,}
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            unfinished) compopt -o nospace; COMPREPLY+=("$value") ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a plain described unfinished response
    local type value about
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
        %(complete_var)s=zsh_complete %(prog_name)s)}")
    for type value about in ${response}; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            unfinished) unfinished+=("$value:$about") ;;
            plain) if [[ $about == _ ]]; then plain+=("$value"); else described+=("$value:$about"); fi ;;
        esac
    done
    (( $#unfinished )) && _describe -V unsorted unfinished -U -S ''
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


class Bash(BashComplete):
    """Completion in bash 4.4 or newer."""

    source_template = _BASH
    _before = ""  # what bash keeps of the present word: everything up to the last =

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the present one, and the present one, with those joined that bash splits at `=`."""
        place, words = int(os.environ["COMP_CWORD"]), split_arg_string(os.environ["COMP_WORDS"])
        joined: list[str] = []
        for word in words[: place + 1]:
            if joined and (word == "=" or joined[-1].endswith("=")):
                joined[-1] += word
            else:
                joined.append(word)
        incomplete = joined.pop() if place < len(words) else ""
        if len(joined) < place:  # some were joined
            value = incomplete.partition("=")[2] if incomplete.startswith("-") else incomplete
            self._before = value[: value.rfind("=") + 1]
        return joined[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Return a completion as the script in bash reads it."""
        return f"{_kind(item)},{item.value.removeprefix(self._before)}"


class Zsh(ZshComplete):
    """Completion in zsh."""

    source_template = _ZSH

    def format_completion(self, item: CompletionItem) -> str:
        """Return a completion as the script in zsh reads it: three lines; a colon would end a value with help."""
        value = item.value.replace(":", r"\:") if item.help else item.value
        return f"{_kind(item)}\n{value}\n{item.help or '_'}"


def _kind(item: CompletionItem) -> str:
    return "unfinished" if item.unfinished else item.type


class Shell(NamedTuple):
    """A shell: how it completes, and the line that makes it complete, with the file that the line goes into."""

    complete: type[ShellComplete]
    file: str
    line: str


SHELLS = {
    "bash": Shell(Bash, "~/.bashrc", 'eval "$(bpcli completion bash)"'),
    "zsh": Shell(Zsh, "~/.zshrc, after compinit", 'eval "$(bpcli completion zsh)"'),
    "fish": Shell(FishComplete, "~/.config/fish/config.fish", "bpcli completion fish | source"),
}


def register() -> None:
    """Let Click answer the scripts of `script`."""
    for name, shell in SHELLS.items():
        add_completion_class(shell.complete, name)


def advice(name: str) -> str:
    """Return what to do so that a shell completes."""
    return f"add this line to {SHELLS[name].file}:  {SHELLS[name].line}"


def script(name: str, cli: click.Command) -> str:
    """Return the text that makes a shell complete once the shell has read it."""
    completion = SHELLS[name].complete(cli, {}, "bpcli", COMPLETE)
    return f"# Completion of bpcli in {name}; {advice(name)}\n{completion.source_template % completion.source_vars()}"
