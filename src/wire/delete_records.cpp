#include "wire/delete_records.h"

#include "wire/codec.h"

namespace leat::wire {

template struct Codec<DeleteRecordsResponse>;
template struct Codec<DeleteRecordsRequest>;

}  // namespace leat::wire
