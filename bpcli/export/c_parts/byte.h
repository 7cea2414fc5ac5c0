/* Return the byte that stands for a number, halves to even. */
static uint8_t bpcli_byte(float a, float scale, float zero)
{
    const float q = rintf(a / scale) + zero;

    return (uint8_t)(q > 0.0f ? (q < 255.0f ? q : 255.0f) : 0.0f);
}
