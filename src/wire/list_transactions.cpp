#include "wire/list_transactions.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<ListTransactionsResponse>;
template struct Codec<ListTransactionsRequest>;

}  // namespace leat::wire
