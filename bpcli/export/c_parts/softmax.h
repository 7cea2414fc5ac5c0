/* Replace z by e^z / sum of e^z. Subtracting the largest first prevents an overflow. */
static void bpcli_softmax(float *z)
{
    float largest = z[0], sum = 0.0f;

    for (size_t c = 1; c < BPCLI_CLASSES; c++)
        if (z[c] > largest)
            largest = z[c];
    for (size_t c = 0; c < BPCLI_CLASSES; c++) {
        z[c] = expf(z[c] - largest);
        sum += z[c];
    }
    for (size_t c = 0; c < BPCLI_CLASSES; c++)
        z[c] /= sum;
}
