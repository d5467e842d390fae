#include "interpreter/decimal_number.h"

#include "interpreter/evaluate.h"

namespace leat::interpreter {

plan::Decimal decimal_value(const Big& units, int scale, const plan::Type& type) {
  Big fitted = units;
  for (int more = scale; more < type.scale; ++more) fitted = fitted * Big(10);
  Big divisor(1);
  for (int more = type.scale; more < scale; ++more) divisor = divisor * Big(10);
  fitted = divide_rounded(fitted, divisor);
  if (Big::compare_magnitudes(fitted, Big(plan::power_of_ten(type.precision))) >= 0) {
    throw BadValue{"out of range of " + plan::name(type)};
  }
  return {*fitted.to_int128(), type.scale};
}

}  // namespace leat::interpreter
