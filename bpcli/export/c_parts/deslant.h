/* Shift each row of a picture sideways, so that x and y of its ink are uncorrelated. */
static void bpcli_deslant(const uint8_t *pixels, uint8_t *upright)
{
    float middle;
    const float slope = bpcli_slant(pixels, &middle);

    for (int y = 0; y < BPCLI_SIDE; y++) {
        const uint8_t *row = pixels + y * BPCLI_SIDE;
        const float move = slope * ((float)y - middle), whole = floorf(move), part = move - whole;

        for (int x = 0; x < BPCLI_SIDE; x++) {
            const int at = x + (int)whole;
            const float left = at >= 0 && at < BPCLI_SIDE ? (float)row[at] : 0.0f;
            const float right = at >= -1 && at + 1 < BPCLI_SIDE ? (float)row[at + 1] : 0.0f;

            upright[y * BPCLI_SIDE + x] = (uint8_t)rintf(left + part * (right - left));
        }
    }
}
