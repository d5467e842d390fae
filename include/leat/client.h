// A client for Leat, and for Apache Kafka and what speaks its protocol, on Boost.Asio. Begin here.
//
//   boost::asio::awaitable<void> order(leat::Producer& producer) {
//     leat::Delivery there = co_await producer.async_send({.topic = "orders", .value = "one"});
//     ...
//
// Objects are made with an executor, whose context somebody runs; what happens of itself happens
// there. completion.h says what all operations have in common, error.h what can go wrong, options.h
// what can be set.
//
// g++ 12 destroys some temporaries of a co_await expression twice: give an aggregate that owns
// something, such as a vector of offsets, a name first.
#pragma once

#include "leat/admin.h"
#include "leat/cluster.h"
#include "leat/completion.h"
#include "leat/consumer.h"
#include "leat/error.h"
#include "leat/options.h"
#include "leat/producer.h"
#include "leat/record.h"
#include "leat/records.h"
#include "leat/version.h"
