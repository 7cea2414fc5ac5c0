"""The examples at the end of each command's help: what to type, and what it does. Tests run or parse every one."""

from collections.abc import Mapping

import click

EXAMPLES: Mapping[str, Mapping[str, str]] = {  # command, or "" for bpcli itself
    "": {
        "bpcli train -c quick": "train for some seconds",
        "bpcli predict photo.png": "read a digit",
        "bpcli draw --open": "draw one yourself",
    },
    "train": {
        "bpcli train -c quick": "the shortest way to 98 %",
        "bpcli train -s 'model.hidden=[300, 100]' --epochs 5": "two hidden layers",
        "bpcli train -c own-hand -s data.folder=mine": "learn one's own hand",
    },
    "search": {
        "bpcli search space.yaml --dry-run": "ten configurations, and what it may cost",
        "bpcli search space.yaml --workers 2": "two trials at a time",
        "bpcli search --resume runs/search-1 --trials 100": "go on, with more trials",
    },
    "evaluate": {
        "bpcli evaluate": "accuracy and confusion matrix",
        "bpcli evaluate runs/default-1 --errors-sheet errors.png": "its mistakes",
        "bpcli evaluate --split validation --json": "figures for a program",
    },
    "runs": {
        "bpcli runs": "all of them, the newest first",
        "bpcli runs --sort validation --json": "the best first, for a program",
        "bpcli runs --remove default-1 --yes": "remove one without a question",
    },
    "predict": {
        "bpcli predict photo.png": "which digit is it?",
        "bpcli predict --show -m pretrained photo.png": "what does bpcli's own see?",
        "bpcli predict --multi --json number.png": "every digit, for a program",
    },
    "check": {
        "bpcli check": "the default network's gradients",
        "bpcli check -s optimizer.kind=adam -s model.activation=tanh": "of another",
    },
    "step": {
        "bpcli step test:8": "forward, backward, proof, update",
        "bpcli step test:8 --unit 1:7": "the sums of one unit",
        "bpcli step runs/default-1 photo.png --label 5": "your own picture",
    },
    "playground": {
        "bpcli playground --open": "train in the browser, with six lessons",
        "bpcli playground -o lesson.html --force": "to another file, whatever it was",
    },
    "explain": {
        "bpcli explain '(a+b)*(b+1)' a=2 b=1": "forward and reverse mode, step by step",
        "bpcli explain --wrt w 'sigmoid(w*x+b)' w=0.5 x=2 b=-1": "from w",
        "bpcli explain '(x*x-a)**2' a=2 x=1 --minimize x": "the root of 2",
    },
    "report": {
        "bpcli report --open": "the run that ended last, in the browser",
        "bpcli report runs/default-1 runs/default-2 -o both.html": "two runs, compared",
        "bpcli report --format png -o plots": "the plots as files",
    },
    "draw": {
        "bpcli draw --open": "a page to draw on, in the browser",
        "bpcli draw runs/default-1 -o mine.html": "with the network of a run",
    },
    "export": {
        "bpcli export": "the run that ended last, as ONNX",
        "bpcli export pretrained -o digits.safetensors --card README.md": "a model card",
        "bpcli export --quantize int8 -o digits.h": "as C, a byte a weight",
    },
    "sheet": {
        "bpcli sheet digits.pdf": "print it, write, photograph it",
        "bpcli sheet --classes A-Z --rows 8 letters.pdf": "two pages of letters",
        "bpcli sheet --read photo.jpg -o mine": "the cells, in mine/<class>/",
    },
    "augment": {
        "bpcli augment -s augment.rotation=15 sheet.png": "turned digits",
        "bpcli augment -c simard -n 32 --force sheet.png": "a preset's",
    },
    "data": {
        "bpcli data list": "those that are known, and which are here",
        "bpcli data fetch fashion_mnist": "then: bpcli train -c fashion",
        "bpcli data import fashion_mnist *.gz": "files that were got by hand",
    },
    "config": {
        "bpcli config --list": "the presets",
        "bpcli config": "every key, its meaning and its limits",
        "bpcli config -c quick -s train.epochs=5 > mine.yaml": "a file to edit",
    },
    "completion": {
        "bpcli completion bash": "its first line says where to put it",
        'eval "$(bpcli completion zsh)"': "in this shell alone",
    },
}


def write(formatter: click.HelpFormatter, command: str) -> None:
    """Write a command's examples into its help text; none where a command has none."""
    if command in EXAMPLES:
        with formatter.section("Examples"):
            for example, meaning in EXAMPLES[command].items():
                formatter.write(f"{'':{formatter.current_indent}}{example}  # {meaning}\n")
