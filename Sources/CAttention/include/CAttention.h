// Attention and rotary embedding in float32 with the widest vectors of the processor that runs them.
//
// Queries lie side by side in the lanes of a vector ("queries in lanes"), so that a key's element is one factor for all
// of them: no sum crosses lanes, keys and values are read once and in place, and no length needs care. Thirty-two queries
// are two of the widest vectors; with one, loading elements would take longer than multiplying them.
#pragma once

enum {
  /// Queries that are computed together.
  CATTENTION_LANES = 32,
  /// Longest head that attends.
  CATTENTION_MAXIMUM_DIMENSION = 1024,
  /// Keys whose weights are summed in float32 before they are added to the running sums in double.
  CATTENTION_TILE = 256,
  /// Rows of the state that precede the outputs: largest logit, sum, moment.
  CATTENTION_STATE_ROWS = 3,
  /// Turns of single positions in a table, and of as many positions at a time.
  CATTENTION_STEPS = 8,
  /// Consecutive positions that one table of turns covers.
  CATTENTION_POSITIONS = CATTENTION_STEPS * CATTENTION_STEPS,
};

/// Instruction sets, from narrow to wide; the first is what the compiler may use anywhere (SSE2, NEON).
enum { CATTENTION_BASELINE, CATTENTION_AVX2, CATTENTION_AVX512 };

/// The widest instruction set of this processor. A call with a wider one stops the process.
int cattention_widest(void);

/// Consecutive keys and their values, one head after the other.
struct cattention_keys {
  const float *keys;    // [count][key_dimension]
  const float *values;  // [count][value_dimension], unused where that is 0
  long count, key_dimension, value_dimension;
};

/// Lets 32 queries attend to more keys.
///
/// - queries: [key_dimension][32], multiplied by the softmax scale and by log2(e): logits are base-2 here.
/// - visible: for each query how many of these keys it sees, from the first on.
/// - state: [3 + value_dimension][32], what stands after all keys so far, with weights e = 2^(logit - largest):
///   largest logit, sum of e, sum of e * (logit - largest), and for each value lane the sum of e * value.
///   Before the first key: -FLT_MAX, then zeros. A visible logit that is not finite makes the moment not finite, a value
///   that is not makes its outputs so.
void cattention_attend(
  int level, const float *queries, const struct cattention_keys *keys, const long *visible, double *state);

/// Products [count][32] of 32 queries, [key_dimension][32], with every key.
void cattention_logits(int level, const float *queries, const struct cattention_keys *keys, float *logits);

/// Heads that follow one another in memory, some at each position, and which of their lanes turn.
struct cattention_heads {
  long positions, heads, dimension;  // [positions][heads][dimension]
  long first_lane, pairs;            // 2 * pairs lanes turn, from first_lane on
  int adjacent;                      // lanes 2i and 2i + 1 are a pair; otherwise i and i + pairs
};

/// Turns heads in place, at no more than CATTENTION_POSITIONS consecutive positions.
///
/// - start: [2][pairs], cos and sin at the first position, multiplied by the attention factor.
/// - steps: [2][CATTENTION_STEPS][2][pairs], cos and sin of 0, 1, ... 7 positions, then of 0, 8, ... 56.
void cattention_rotate(
  int level, float *rows, const struct cattention_heads *heads, const double *start, const double *steps);
