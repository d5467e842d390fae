#include "wire/describe_transactions.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DescribeTransactionsResponse>;
template struct Codec<DescribeTransactionsRequest>;

}  // namespace leat::wire
