#include "client/stop.h"

#include <stdexcept>

namespace leat {

Stop::Stop(const void* token, const std::type_info& type) {
  if (type != typeid(std::stop_token)) throw std::invalid_argument("Stop takes a std::stop_token");
  token_ = new std::stop_token(*static_cast<const std::stop_token*>(token));
}

Stop::Stop(const Stop& other) {
  if (other.token_) token_ = new std::stop_token(client::StopInside::token_of(other));
}

Stop::~Stop() {
  delete static_cast<std::stop_token*>(token_);
}

std::stop_token client::StopInside::token_of(const Stop& stop) {
  return stop.token_ ? *static_cast<std::stop_token*>(stop.token_) : std::stop_token();
}

}  // namespace leat
