// Included first by files whose loops over numbers are worth wide instructions, which g++ makes at
// -O2 only of loops that need no rest behind them.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3")
#endif
