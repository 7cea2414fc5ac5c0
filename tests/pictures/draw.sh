#!/bin/sh
# Draws the pictures of this folder that librsvg (rsvg-convert) and ImageMagick 6 (convert) make.
set -eu
cd "$(dirname "$0")"
CONVERT=${CONVERT:-convert}
STROKE=$(mktemp --suffix=.png)

rsvg-convert sources/5-blue-pen.svg -o 5-blue-pen.png
rsvg-convert sources/194560-fibre-tip.svg -o 194560-fibre-tip.png

# chalk on a green board
rsvg-convert sources/2-stroke.svg -o "$STROKE"
$CONVERT -size 800x600 xc:'#24402f' "$STROKE" -composite \
    -attenuate 0.6 +noise Gaussian -blur 0x1.2 -quality 60 2-chalk.jpg

# red felt pen on a yellow note, 16 colours
$CONVERT -size 240x240 xc:'#f6e58d' -fill none -stroke '#c0392b' -strokewidth 14 \
    -draw "stroke-linecap round path 'M 150,62 C 110,40 76,74 104,104 C 130,128 168,150 146,184 C 122,212 78,190 92,156 C 104,128 160,108 152,64'" \
    -colors 16 8-note.gif

# pencil on squared paper, seen at an angle under a lamp
rsvg-convert sources/9-stroke.svg -o "$STROKE"
$CONVERT -size 1200x900 xc:'#eceae0' -fill none -stroke '#b9c7da' -strokewidth 2 \
    -draw "$(for x in $(seq 30 60 1200); do echo "line $x,0 $x,900"; done) $(for y in $(seq 20 60 900); do echo "line 0,$y 1200,$y"; done)" \
    "$STROKE" -composite -alpha off \
    -virtual-pixel edge -distort Perspective '0,0 60,30 1200,0 1150,0 0,900 0,860 1200,900 1200,900' \
    \( -size 1200x900 radial-gradient:white-'#6d675c' \) -compose multiply -composite \
    -attenuate 0.25 +noise Gaussian -blur 0x1 -quality 45 9-squared-paper.jpg

# a hair-thin line in a large scan of 16 bits
$CONVERT -size 1000x1400 xc:white -fill none -stroke black -strokewidth 2 \
    -draw "line 470,420 540,360 line 540,360 520,980" -depth 16 1-hair-16-bit.png

rm "$STROKE"
