/* Return the sum of a number for each row, in the order in which NumPy adds: the same bits as in bpcli. */
static float bpcli_sum(const float *numbers)
{
    float r[8];
    float sum;
    int y;

    for (y = 0; y < 8; y++)
        r[y] = numbers[y];
    for (; y + 8 <= BPCLI_SIDE; y += 8)
        for (int k = 0; k < 8; k++)
            r[k] += numbers[y + k];
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; y < BPCLI_SIDE; y++)
        sum += numbers[y];
    return sum;
}

/* Return by how many pixels a picture leans to the right for each pixel down, at most 1; write y of its centre. */
static float bpcli_slant(const uint8_t *pixels, float *middle)
{
    float lean[BPCLI_SIDE], height[BPCLI_SIDE];
    float slope;
    int32_t total = 0, moment = 0;

    for (int y = 0; y < BPCLI_SIDE; y++) {
        int32_t sum = 0, by_x = 0;

        for (int x = 0; x < BPCLI_SIDE; x++) {
            sum += pixels[y * BPCLI_SIDE + x];
            by_x += (int32_t)x * pixels[y * BPCLI_SIDE + x];
        }
        height[y] = (float)sum;
        lean[y] = (float)by_x;
        total += sum;
        moment += (int32_t)y * sum;
    }
    *middle = (float)moment / (float)(total > 1 ? total : 1);
    for (int y = 0; y < BPCLI_SIDE; y++) {
        const float down = (float)y - *middle;

        lean[y] *= down;
        height[y] *= down * down;
    }
    slope = bpcli_sum(height) > 0.0f ? bpcli_sum(lean) / bpcli_sum(height) : 0.0f;
    return slope > 1.0f ? 1.0f : slope < -1.0f ? -1.0f : slope;
}
