// What this processor can do at most, on the process's CPU clock: fused products and sums, and reading memory.
#include "CAttention.h"
#include <time.h>

#pragma clang fp contract(fast)

static volatile float sink;  // so that nothing is left out

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// Ten chains of vectors of `width` floats: more than latency times units, few enough for 16 registers.
#define MEASURES(name, attributes, width)                                                \
  typedef float vector_##name __attribute__((ext_vector_type(width), aligned(4)));       \
  attributes static float multiply_##name(long rounds) {                                 \
    vector_##name x[10], factor = (vector_##name)0.999f, term = (vector_##name)1e-6f;    \
    _Pragma("clang loop unroll(full)")                                                   \
    for (int i = 0; i < 10; i++) x[i] = (vector_##name)(float)i;                         \
    for (long n = 0; n < rounds; n++) {                                                  \
      _Pragma("clang loop unroll(full)")                                                 \
      for (int i = 0; i < 10; i++) x[i] = x[i] * factor + term;                          \
    }                                                                                    \
    float sum = 0;                                                                       \
    for (int i = 0; i < 10; i++) sum += x[i][0];                                         \
    return sum;                                                                          \
  }                                                                                      \
  attributes static float read_##name(const float *memory, long count) {                 \
    vector_##name sum[8] = {0};                                                          \
    for (long n = 0; n + 8 * width <= count; n += 8 * width)                             \
      for (int i = 0; i < 8; i++) sum[i] += *(const vector_##name *)(memory + n + i * width); \
    float total = 0;                                                                     \
    for (int i = 0; i < 8; i++) total += sum[i][0];                                      \
    return total;                                                                        \
  }                                                                                      \
  static double flops_##name(long rounds) {                                              \
    double start = now();                                                                \
    sink = multiply_##name(rounds);                                                      \
    return 20.0 * width * (double)rounds / (now() - start);                              \
  }                                                                                      \
  static double bytes_##name(const float *memory, long count) {                          \
    double start = now();                                                                \
    sink = read_##name(memory, count);                                                   \
    return 4.0 * (double)count / (now() - start);                                        \
  }

MEASURES(baseline, , 4)
#if defined(__x86_64__)
MEASURES(avx2, __attribute__((target("avx2,fma"))), 8)
MEASURES(avx512, __attribute__((target("avx512f,avx512vl,fma"))), 16)
#define CALL(function, ...)                                             \
  int level = cattention_widest();                                      \
  if (level == CATTENTION_AVX512) return function##_avx512(__VA_ARGS__); \
  if (level == CATTENTION_AVX2) return function##_avx2(__VA_ARGS__);     \
  return function##_baseline(__VA_ARGS__)
#else
#define CALL(function, ...) return function##_baseline(__VA_ARGS__)
#endif

/// Products and sums a second.
double bench_flops(long rounds) { CALL(flops, rounds); }

/// Bytes read a second.
double bench_bytes(const float *memory, long count) { CALL(bytes, memory, count); }
