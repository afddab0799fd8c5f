#include "connect/wire.h"

#include <gtest/gtest.h>

namespace ink::connect {
namespace {

TEST(Address, PartsOfAnAddress) {
  const auto plain = parse_address("http://homeassistant.local:8123/api/states?x=1#part");
  ASSERT_TRUE(plain.ok());
  EXPECT_FALSE(plain->secure);
  EXPECT_EQ(plain->host_and_port(), "homeassistant.local:8123");
  EXPECT_EQ(plain->target, "/api/states?x=1");
  const auto secure = parse_address("wss://[::1]");
  ASSERT_TRUE(secure.ok());
  EXPECT_TRUE(secure->secure);
  EXPECT_EQ(secure->host_and_port(), "[::1]:443");
  EXPECT_EQ(secure->target, "/");
  const auto query = parse_address("https://example.org?a=b");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->target, "/?a=b");
}

TEST(Address, RefusesWhatCouldMisleadAPerson) {
  for (const char* url : {"", "localhost:8123", "ftp://a/", "http://", "http://:80/", "http://a:0/",
                          "http://a:65536/", "http://a:8o/", "http://[::1/", "http://[::1]x/",
                          "http://user:pass@a/", "http://a/ b", "http://a/\r\nHost: b", "file:///etc/passwd"})
    EXPECT_FALSE(parse_address(url).ok()) << url;
}

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
