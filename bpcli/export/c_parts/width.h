/* Return the ink of a row to the left of x; `sums` holds that to the left of each pixel. */
static float bpcli_until(const uint8_t *row, const int32_t *sums, float x)
{
    const float at = x < 0.0f ? 0.0f : x > (float)BPCLI_SIDE ? (float)BPCLI_SIDE : x;
    const int whole = at < (float)BPCLI_SIDE ? (int)at : BPCLI_SIDE - 1;

    return (float)sums[whole] + (at - (float)whole) * (float)row[whole];
}

/* Return the width of the box of a picture's ink, whose rows are moved to the left by slope * (y - down). */
static float bpcli_box(const uint8_t *pixels, float slope, float down)
{
    float left = 1000.0f, right = -1000.0f;
    int brightest = 0;

    for (int i = 0; i < BPCLI_PIXELS; i++)
        if (pixels[i] > brightest)
            brightest = pixels[i];
    for (int y = 0; y < BPCLI_SIDE; y++) {
        const float move = slope * ((float)y - down);

        for (int x = 0; x < BPCLI_SIDE; x++) {
            const float place = (float)x - move;

            if (4 * pixels[y * BPCLI_SIDE + x] < brightest)
                continue;
            left = place < left ? place : left;
            right = place > right ? place : right;
        }
    }
    return right - left + 1.0f;
}

/* Return x of a picture's centre of mass. */
static float bpcli_middle(const uint8_t *pixels)
{
    int32_t total = 0, moment = 0;

    for (int i = 0; i < BPCLI_PIXELS; i++) {
        total += pixels[i];
        moment += (int32_t)(i % BPCLI_SIDE) * pixels[i];
    }
    return (float)moment / (float)(total > 1 ? total : 1);
}

/* Stretch or squeeze the box of a picture's ink to $width pixels; a pixel becomes the mean of the ink that it covers. */
static void bpcli_set_width(const uint8_t *pixels, uint8_t *upright)
{
    $slant
    const float middle = bpcli_middle(pixels), scale = bpcli_box(pixels, slope, down) / $width.0f;
    const float cover = scale > 1.0f ? scale : 1.0f;

    for (int y = 0; y < BPCLI_SIDE; y++) {
        const uint8_t *row = pixels + y * BPCLI_SIDE;
        const float from = middle + slope * ((float)y - down);
        int32_t sums[BPCLI_SIDE];

        sums[0] = 0;
        for (int x = 1; x < BPCLI_SIDE; x++)
            sums[x] = sums[x - 1] + row[x - 1];
        for (int x = 0; x < BPCLI_SIDE; x++) {
            const float at = ((float)x - 0.5f * (float)BPCLI_SIDE) * scale + from;
            const float end = bpcli_until(row, sums, at + (1.0f + cover) * 0.5f);
            const float start = bpcli_until(row, sums, at + (1.0f - cover) * 0.5f);

            upright[y * BPCLI_SIDE + x] = (uint8_t)rintf((end - start) / cover);
        }
    }
}
