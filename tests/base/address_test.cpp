#include "base/address.h"

#include <gtest/gtest.h>

namespace ink {
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

}  // namespace
}  // namespace ink
