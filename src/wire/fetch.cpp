#include "wire/fetch.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<FetchResponse>;
template struct Codec<FetchRequest>;

}  // namespace leat::wire
