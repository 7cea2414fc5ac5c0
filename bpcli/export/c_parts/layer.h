static const $weight_type bpcli_weight$n[$count] = {
$weight
};
$vectors
/* Layer $n: $inputs inputs, $units units. The weights that lead from one input are neighbours; zeros are skipped. */
static void bpcli_layer$n(const $input_type *x, $output_type *a)
{
    $sum_type sums[$units] = {0};

    for (size_t i = 0; i < $inputs; i++) {
        const $weight_type *weight = bpcli_weight$n + i * $units;
        const $sum_type q = $value;

        if (q == 0)
            continue;
        for (size_t u = 0; u < $units; u++)
            sums[u] += q * weight[u];
    }
    for (size_t u = 0; u < $units; u++)
        a[u] = $activation;
}
