#include "connect/wire.h"

#include <gtest/gtest.h>

namespace ink::connect {
namespace {

TEST(Order, ReadsEveryKind) {
  const auto http = parse_order(
      R"({"id":1,"http":{"method":"POST","url":"http://a/","headers":{"X":"1"},"body":"b","timeout_ms":5,"stream":true}})");
  ASSERT_TRUE(http.ok());
  const auto& request = std::get<HttpRequest>(http->what);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.headers.at("X"), "1");
  EXPECT_EQ(request.body, "b");
  EXPECT_EQ(request.timeout.count(), 5);
  EXPECT_TRUE(request.stream);
  const auto socket = parse_order(R"({"id":2,"websocket":{"url":"ws://a/"}})");
  ASSERT_TRUE(socket.ok());
  EXPECT_TRUE(std::holds_alternative<SocketRequest>(socket->what));
  EXPECT_EQ(std::get<Send>(parse_order(R"({"id":2,"send":"hi"})")->what).text, "hi");
  EXPECT_TRUE(std::holds_alternative<Cancel>(parse_order(R"({"id":2,"cancel":true})")->what));
}

TEST(Order, RefusesWhatMakesNoSense) {
  for (const char* line :
       {"", "[]", "{}", R"({"id":"1","cancel":true})", R"({"id":1})", R"({"id":1,"http":{}})",
        R"({"id":1,"http":{"url":"http://a/","method":"TRACE"}})",
        R"({"id":1,"http":{"url":"http://a/","timeout_ms":0}})",
        R"({"id":1,"http":{"url":"http://a/","timeout_ms":1e3}})",
        R"({"id":1,"http":{"url":"http://a/","body":1}})",
        R"({"id":1,"http":{"url":"http://a/","headers":[]}})",
        R"({"id":1,"http":{"url":"http://a/","headers":{"A":1}}})",
        R"({"id":1,"http":{"url":"http://a/","headers":{"A":"1\r\nB: 2"}}})",
        R"({"id":1,"http":{"url":"http://a/","headers":{"A: 1":"2"}}})", R"({"id":1,"send":1})"})
    EXPECT_FALSE(parse_order(line).ok()) << line;
}

}  // namespace
}  // namespace ink::connect
