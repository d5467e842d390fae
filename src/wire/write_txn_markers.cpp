#include "wire/write_txn_markers.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<WriteTxnMarkersResponse>;
template struct Codec<WriteTxnMarkersRequest>;

}  // namespace leat::wire
