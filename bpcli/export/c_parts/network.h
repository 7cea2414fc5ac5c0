/* A network in C99, without heap and without other libraries than libm. Made by bpcli.
 *
$about
 *
 * One file of the program includes this one with its code and its weights,
 *
 *     #define BPCLI_IMPLEMENTATION
 *     #include "NAME OF THIS FILE"
 *
 * others without the first line. Its arrays take $constants bytes of constants, and up to $stack bytes of the stack.
 */
#ifndef BPCLI_NETWORK_H
#define BPCLI_NETWORK_H

#include <stdint.h>

#define BPCLI_SIDE $side /* pixels */
#define BPCLI_PIXELS (BPCLI_SIDE * BPCLI_SIDE)
#define BPCLI_CLASSES $classes
#define BPCLI_MIN_SCORE $min_score /* a best score below it means that the picture shows none of the classes */

#ifdef __cplusplus
extern "C" {
#endif

/* The name of each class, in UTF-8. */
extern const char *const bpcli_class_names[BPCLI_CLASSES];

/* Return the class of a picture, from 0 to BPCLI_CLASSES - 1, and write the score of each class to `scores`.
 *
 * pixels: BPCLI_PIXELS bytes, row after row from the top left, as in the data set of the network. In MNIST's, 0 is
 *         paper and 255 is ink.
 * scores: room for BPCLI_CLASSES numbers.
 */
int bpcli_predict(const uint8_t *pixels, float *scores);

#ifdef __cplusplus
}
#endif

#endif

#if defined(BPCLI_IMPLEMENTATION) && !defined(BPCLI_IMPLEMENTED)
#define BPCLI_IMPLEMENTED

#include <math.h>
#include <stddef.h>

const char *const bpcli_class_names[BPCLI_CLASSES] = {$names};

$functions
int bpcli_predict(const uint8_t *pixels, float *scores)
{
$buffers
    int best = 0;

$calls
    for (int c = 1; c < BPCLI_CLASSES; c++)
        if (scores[c] > scores[best])
            best = c;
    return best;
}

#endif
