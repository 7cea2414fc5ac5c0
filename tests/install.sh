#!/usr/bin/env bash
# Installs the package as a user would, not editable, and runs it in an empty folder.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/.." && pwd)
python=$(cd "$checkout" && realpath -s "${PYTHON:-python3}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp -r "$checkout"/{bpcli,configs,data,setup.cfg,pyproject.toml,README.md,LICENSE} "$folder/"  # setuptools builds in place
"$python" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$folder"
mkdir "$folder/empty" && cd "$folder/empty"
unset PYTHONPATH
rm -rf "$folder"/{bpcli,configs,data}
"$folder/venv/bin/python" - <<'PICTURE'
from PIL import Image, ImageDraw

picture = Image.new("L", (200, 200), "white")
ImageDraw.Draw(picture).line([(100, 30), (100, 170)], fill="black", width=14)
picture.save("one.png")
PICTURE
"$folder/venv/bin/bpcli" predict one.png | grep -F 'one.png: 1 (score'  # by the network that comes with the package
"$folder/venv/bin/bpcli" train --quiet -s train.epochs=1 -s 'model.hidden=[32]'
"$folder/venv/bin/bpcli" evaluate | head -n 2
"$folder/venv/bin/bpcli" predict --min-score 0 one.png
