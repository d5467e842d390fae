// Loops over numbers with the widest instructions that the processor has.
#pragma once

namespace leat::expression {

#if defined(__x86_64__)
inline const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;

template <class Loop>
[[gnu::target("avx2"), gnu::flatten]] auto with_avx2(const Loop& loop) {
  return loop();
}
#endif

/// loop(), compiled for what this processor can do. It gives the same everywhere: no fused
/// multiplication, and sums of doubles in the order that is written.
template <class Loop>
auto vectorized(const Loop& loop) {
#if defined(__x86_64__)
  if (has_avx2) return with_avx2(loop);
#endif
  return loop();
}

}  // namespace leat::expression
