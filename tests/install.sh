#!/usr/bin/env bash
# Installs a wheel into an empty virtual environment, as a user would, and runs it in an empty folder.
set -euo pipefail
wheel=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
bin=$folder/venv/bin
[ -d "$bin" ] || bin=$folder/venv/Scripts  # on Windows
"$bin/python" -m pip install --quiet --disable-pip-version-check "$wheel"
mkdir "$folder/empty" && cd "$folder/empty"
unset PYTHONPATH
"$bin/python" - <<'PICTURE'
from PIL import Image, ImageDraw

picture = Image.new("L", (200, 200), "white")
ImageDraw.Draw(picture).line([(100, 30), (100, 170)], fill="black", width=14)
picture.save("one.png")
PICTURE
"$bin/bpcli" --version | grep -F "version $(basename "$wheel" | cut -d - -f 2)"
"$bin/bpcli" predict one.png | grep -F 'one.png: 1 (score'  # by the network that comes with the package
"$bin/python" -c "import bpcli; assert bpcli.load('pretrained').predict('one.png') == 1"
"$bin/bpcli" train --quiet -s train.epochs=1 -s 'model.hidden=[32]'
"$bin/bpcli" evaluate | head -n 2
"$bin/bpcli" predict --min-score 0 one.png
