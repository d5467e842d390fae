#include "base/thread_priority.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace leat {

void lower_thread_priority() {
  // A ninth of the weight of others: woken, those go first, and still it never comes to a halt.
  constexpr int nicer = 10, nicest = 19;
  // On Linux this is about threads, by the number that gettid() gives.
  auto thread = static_cast<id_t>(::gettid());
  int niceness = std::min(::getpriority(PRIO_PROCESS, thread) + nicer, nicest);
  (void)::setpriority(PRIO_PROCESS, thread, niceness);
}

}  // namespace leat
