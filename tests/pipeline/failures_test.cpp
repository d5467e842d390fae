#include "pipeline/failures.h"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("pipeline");

using namespace leat;
using namespace leat::pipeline;
using std::chrono::seconds;

TEST_CASE("pauses double from a second up to a minute, and begin again behind a success") {
  Failures failures;
  Error error{Errc::no_space, "the disk is full"};
  for (int wait : {1, 2, 4, 8, 16, 32, 60, 60, 60}) {
    CHECK(failures.failed(error, seconds(5)) == seconds(wait));
  }
  CHECK(failures.count() == 9);
  CHECK(failures.failed(error, seconds(61)) == seconds(1));
  CHECK(failures.count() == 1);
  failures.forget();
  CHECK(failures.count() == 0);
  CHECK_FALSE(failures.error());
}

TEST_CASE("what fails again at the same place for a reason that lasts is not tried a third time") {
  Failures failures;
  Error bad{Errc::bad_record, "edits/3 offset 17: no number"};
  CHECK(failures.failed(bad, seconds(0)) == seconds(1));
  SUBCASE("the same place, however long it took to come there") {
    CHECK_FALSE(failures.failed(bad, seconds(3600)));
    CHECK(failures.count() == 2);
    failures.forget();
    CHECK(failures.failed(bad, seconds(0)) == seconds(1));
  }
  SUBCASE("another place") {
    CHECK(failures.failed({Errc::bad_record, "edits/3 offset 18: no number"}, seconds(1)) ==
          seconds(2));
  }
  SUBCASE("another reason, that may go away") {
    Error gone{Errc::unknown_topic_or_partition, "there is no topic edits"};
    for (int wait : {2, 4, 8, 16}) CHECK(failures.failed(gone, seconds(0)) == seconds(wait));
  }
}

TEST_SUITE_END();
