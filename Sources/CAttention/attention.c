#include "CAttention.h"
#include <math.h>
#include <string.h>

// Every function below is compiled once for each instruction set, by inlining into the few at the end of the file that
// name one. Products and sums fuse where the set can do so. Vectors as arguments never reach a calling convention.
#pragma clang fp contract(fast)
// A build that makes no vectors of loops is slow, not wrong.
#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang diagnostic ignored "-Wpass-failed"
#define INLINE static inline __attribute__((always_inline))

enum { LANES = CATTENTION_LANES, TILE = CATTENTION_TILE, LARGEST = 0, SUM, MOMENT, OUTPUTS, WIDEST_BLOCK = 8 };

typedef float lanes __attribute__((ext_vector_type(LANES)));
typedef int flags __attribute__((ext_vector_type(LANES)));
typedef double wide __attribute__((ext_vector_type(LANES), aligned(8)));

INLINE long smaller(long a, long b) { return a < b ? a : b; }
INLINE lanes larger(lanes a, lanes b) { return a > b ? a : b; }
INLINE wide widened(lanes x) { return __builtin_convertvector(x, wide); }

/// 2^x for x <= 0, within 2^-22 relative; 2^-126 for all below -126 and for NaN.
///
/// x = n + r by adding and subtracting 1.5 * 2^23; for 2^r, |r| <= 1/2, the polynomial of degree 5 with the least largest
/// relative error (8.1e-8) among those with p(0) = 1, summed in a tree because the chain of a Horner scheme is what would
/// take the time; n is added to the exponent.
INLINE lanes power_of_two(lanes x) {
  x = larger(x, (lanes)-126.0f);
  lanes shifted = x + 12582912.0f, r = x - (shifted - 12582912.0f), squared = r * r;
  lanes low = r * 0.693147063f + 1.0f, middle = r * 0.0555067845f + 0.24022235f;
  lanes high = r * 1.32746331e-3f + 9.67196189e-3f;
  lanes p = (high * squared + middle) * squared + low;
  return (lanes)((flags)p + ((flags)shifted << 23));
}

/// sums[b] = Σ a[i] * elements[b * down + i * along] over `count` rows of a, for b < block: registers for each b.
///
/// - ahead: What is needed later, as much as is read here; fetched meanwhile. May lie outside all memory.
INLINE void products(
  const lanes *a, const float *elements, long count, long along, long down, const int block, const float *ahead,
  lanes *sums) {
  lanes s[WIDEST_BLOCK];
  const float *rows[WIDEST_BLOCK];
#pragma clang loop unroll(full)
  for (int b = 0; b < block; b++) {
    s[b] = (lanes)0.0f;
    rows[b] = elements + b * down;
  }
  for (long i = 0; i < count; i++) {
    lanes row = a[i];
    __builtin_prefetch(ahead + i * block, 0, 2);
#pragma clang loop unroll(full)
    for (int b = 0; b < block; b++) s[b] = row * rows[b][i * along] + s[b];
  }
#pragma clang loop unroll(full)
  for (int b = 0; b < block; b++) sums[b] = s[b];
}

INLINE void logits_of(
  const lanes *queries, const float *keys, long count, long dimension, const int block, const float *ahead,
  lanes *logits) {
  long j = 0;
  for (; j + block <= count; j += block)
    products(queries, keys + j * dimension, dimension, 1, dimension, block, ahead + j * dimension, logits + j);
  for (; j < count; j++)
    products(queries, keys + j * dimension, dimension, 1, dimension, 1, ahead + j * dimension, logits + j);
}

/// One tile: logits, weights against the new largest logit, and the weighted values.
INLINE void attend_tile(
  const lanes *queries, const float *keys, const float *values, const struct cattention_keys *all, long count,
  const long *visible, const int block, wide *state) {
  lanes weights[TILE];
  logits_of(queries, keys, count, all->key_dimension, block, values, weights);

  // Keys before `shared` are seen by all queries, of the others each sees its part. What is not seen is skipped rather
  // than given a logit of minus infinity, from which no exact zero would come.
  // Lanes of a vector are not written one by one: each would wait for the whole vector's way through memory.
  int left[LANES];
  flags seen;
  long shared = count;
  for (int lane = 0; lane < LANES; lane++) {
    left[lane] = visible[lane] < 0 ? 0 : (int)smaller(visible[lane], count);
    shared = smaller(shared, left[lane]);
  }
  memcpy(&seen, left, sizeof seen);
  const lanes before = __builtin_convertvector(state[LARGEST], lanes);
  lanes top = before;
  long unseen = 0;
  lanes other = before;
  for (; unseen + 2 <= shared; unseen += 2) {
    top = larger(weights[unseen], top);
    other = larger(weights[unseen + 1], other);
  }
  top = larger(top, other);
  for (long j = unseen; j < count; j++) top = (flags)(int)j < seen ? larger(weights[j], top) : top;

  lanes sum = (lanes)0.0f, moment = (lanes)0.0f;
  for (long j = 0; j < shared; j++) {
    lanes x = weights[j] - top;
    weights[j] = power_of_two(x);
    sum += weights[j];
    moment = weights[j] * x + moment;
  }
  for (long j = shared; j < count; j++) {
    flags sees = (flags)(int)j < seen;
    lanes x = sees ? weights[j] - top : (lanes)0.0f, e = sees ? power_of_two(x) : (lanes)0.0f;
    weights[j] = e;
    sum += e;
    moment = e * x + moment;
  }

  // Sums over tiles are double: their error does not grow with the number of keys.
  wide rise = widened(before) - widened(top), shrink;
  double factors[LANES];
  memcpy(factors, &rise, sizeof factors);
  for (int lane = 0; lane < LANES; lane++) factors[lane] = factors[lane] == 0 ? 1 : exp2(factors[lane]);
  memcpy(&shrink, factors, sizeof shrink);
  state[LARGEST] = widened(top);
  state[MOMENT] = (state[MOMENT] + state[SUM] * rise) * shrink + widened(moment);
  state[SUM] = state[SUM] * shrink + widened(sum);

  const float *next = keys + count * all->key_dimension;
  const long dimension = all->value_dimension;
  for (long i = 0; i < dimension;) {
    lanes sums[WIDEST_BLOCK];
    const int whole = i + block <= dimension;
    if (whole)
      products(weights, values + i, count, dimension, 1, block, next + i * count, sums);
    else
      products(weights, values + i, count, dimension, 1, 1, next + i * count, sums);
    for (int b = 0; b < (whole ? block : 1); b++, i++)
      state[OUTPUTS + i] = state[OUTPUTS + i] * shrink + widened(sums[b]);
  }
}

INLINE void attend(
  const float *queries, const struct cattention_keys *k, const long *visible, double *state, const int block) {
  lanes aligned[CATTENTION_MAXIMUM_DIMENSION];
  memcpy(aligned, queries, sizeof(lanes) * (size_t)k->key_dimension);
  long left[LANES], end = 0;
  for (int lane = 0; lane < LANES; lane++) {
    left[lane] = visible[lane];
    if (left[lane] > end) end = left[lane];
  }
  end = smaller(end, k->count);
  for (long first = 0; first < end; first += TILE) {
    attend_tile(
      aligned, k->keys + first * k->key_dimension, k->values + first * k->value_dimension, k,
      smaller(TILE, end - first), left, block, (wide *)state);
    for (int lane = 0; lane < LANES; lane++) left[lane] -= TILE;
  }
}

INLINE void logits(const float *queries, const struct cattention_keys *k, float *result, const int block) {
  lanes aligned[CATTENTION_MAXIMUM_DIMENSION], tile[TILE];
  memcpy(aligned, queries, sizeof(lanes) * (size_t)k->key_dimension);
  for (long first = 0; first < k->count; first += TILE) {
    const float *keys = k->keys + first * k->key_dimension;
    long count = smaller(TILE, k->count - first);
    logits_of(aligned, keys, count, k->key_dimension, block, keys + count * k->key_dimension, tile);
    memcpy(result + first * LANES, tile, sizeof(lanes) * (size_t)count);
  }
}

/// Turns pairs whose lanes are `stride` apart from the next pair's. The compiler makes the vectors; told that pairs are
/// apart, it need not find out for each head.
INLINE void turn(float *low, float *high, const long stride, const float *cosines, const float *sines, long count) {
#pragma clang loop vectorize(assume_safety)
  for (long i = 0; i < count; i++) {
    float a = low[i * stride], b = high[i * stride];
    low[i * stride] = a * cosines[i] - b * sines[i];
    high[i * stride] = b * cosines[i] + a * sines[i];
  }
}

/// The turn at each position is the product of three in double: of the first position, of the eights from there, and of
/// the rest. Turns of eight positions are made before their heads turn: read back at once they would be waited for. The
/// heads are fetched meanwhile, one for each position; more would be in the way.
INLINE void rotate(float *rows, const struct cattention_heads *h, const double *start, const double *steps) {
  enum { CHUNK = 64, STEPS = CATTENTION_STEPS };
  double c[CHUNK], s[CHUNK];
  float cosines[STEPS][CHUNK], sines[STEPS][CHUNK];
  const long pairs = h->pairs, width = h->heads * h->dimension;
  const double *eights = steps + STEPS * 2 * pairs;
  for (long position = 0; position < h->positions; position += STEPS, rows += STEPS * width, eights += 2 * pairs)
    for (long first = 0; first < pairs; first += CHUNK) {
      const long count = smaller(CHUNK, pairs - first), rest = smaller(STEPS, h->positions - position);
      const double *sc = start + first, *ss = sc + pairs, *ec = eights + first, *es = ec + pairs;
#pragma clang loop vectorize(assume_safety)
      for (long i = 0; i < count; i++) {
        c[i] = sc[i] * ec[i] - ss[i] * es[i];
        s[i] = ss[i] * ec[i] + sc[i] * es[i];
      }
      for (long step = 0; step < rest; step++) {
        const float *row = rows + step * width + h->first_lane + 2 * first;
        for (long i = 0; i < 2 * count; i += 16) __builtin_prefetch(row + i, 1, 3);
        const double *dc = steps + step * 2 * pairs + first, *ds = dc + pairs;
#pragma clang loop vectorize(assume_safety)
        for (long i = 0; i < count; i++) {
          cosines[step][i] = (float)(c[i] * dc[i] - s[i] * ds[i]);
          sines[step][i] = (float)(s[i] * dc[i] + c[i] * ds[i]);
        }
      }
      for (long step = 0; step < rest; step++)
        for (long head = 0; head < h->heads; head++) {
          float *row = rows + step * width + head * h->dimension + h->first_lane;
          if (h->adjacent)
            turn(row + 2 * first, row + 2 * first + 1, 2, cosines[step], sines[step], count);
          else
            turn(row + first, row + first + pairs, 1, cosines[step], sines[step], count);
        }
    }
}

// `block` keys are computed together: as many as there are registers for. A row of queries fills 8 of SSE2 and NEON,
// 4 of AVX2, 2 of AVX-512.
#define VERSIONS(name, attributes, block)                                                                \
  attributes static void attend_##name(                                                                  \
    const float *queries, const struct cattention_keys *keys, const long *visible, double *state) {      \
    attend(queries, keys, visible, state, block);                                                        \
  }                                                                                                      \
  attributes static void logits_##name(                                                                  \
    const float *queries, const struct cattention_keys *keys, float *result) {                           \
    logits(queries, keys, result, block);                                                                \
  }                                                                                                      \
  attributes static void rotate_##name(                                                                  \
    float *rows, const struct cattention_heads *heads, const double *start, const double *steps) {       \
    rotate(rows, heads, start, steps);                                                                   \
  }

#if defined(__x86_64__)
VERSIONS(baseline, , 1)
VERSIONS(avx2, __attribute__((target("avx2,fma"))), 2)
VERSIONS(avx512, __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), 8)

int cattention_widest(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return CATTENTION_BASELINE;
  int all = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
  return all ? CATTENTION_AVX512 : CATTENTION_AVX2;
}

#define CALL(function, level, ...)              \
  switch (level) {                              \
    case CATTENTION_AVX512:                     \
      return function##_avx512(__VA_ARGS__);    \
    case CATTENTION_AVX2:                       \
      return function##_avx2(__VA_ARGS__);      \
    default:                                    \
      return function##_baseline(__VA_ARGS__);  \
  }
#else
VERSIONS(baseline, , 2)

int cattention_widest(void) { return CATTENTION_BASELINE; }

#define CALL(function, level, ...) \
  (void)level;                     \
  function##_baseline(__VA_ARGS__);
#endif

void cattention_attend(
  int level, const float *queries, const struct cattention_keys *keys, const long *visible, double *state) {
  CALL(attend, level, queries, keys, visible, state)
}

void cattention_logits(int level, const float *queries, const struct cattention_keys *keys, float *logits) {
  CALL(logits, level, queries, keys, logits)
}

void cattention_rotate(
  int level, float *rows, const struct cattention_heads *heads, const double *start, const double *steps) {
  CALL(rotate, level, rows, heads, start, steps)
}
