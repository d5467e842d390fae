// Threads that others come before.
#pragma once

namespace leat {

/// From now on the system runs the calling thread, and threads that it starts, only in what others
/// leave of the cores, more or less. Where that cannot be, nothing changes.
void lower_thread_priority();

}  // namespace leat
