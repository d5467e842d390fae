// Task<T>: what a coroutine returns. Naming it costs nothing: a file that only passes Tasks on, or
// declares them, needs no Asio; one that awaits includes what it uses of Asio itself.
#pragma once

namespace boost::asio {
class any_io_executor;
template <typename T, typename Executor>
class awaitable;
}  // namespace boost::asio

namespace leat::net {

template <class T>
using Task = boost::asio::awaitable<T, boost::asio::any_io_executor>;

}  // namespace leat::net
