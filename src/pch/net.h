// What every file of the `net` library includes anyway, compiled once.

#include <boost/asio.hpp>
#include <fmt/core.h>

#include <memory>
#include <string>
#include <vector>
