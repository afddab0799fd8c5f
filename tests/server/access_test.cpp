// Who may come in: Host, Origin, keys; and where a server may listen.
#include "server/access.h"

#include <gtest/gtest.h>

#include "server/listener.h"

namespace ink::server {
namespace {

Request from(const std::string& host, const std::string& origin = "") {
  Request request;
  request.headers["host"] = host;
  if (!origin.empty()) request.headers["origin"] = origin;
  return request;
}

bool may_come(const Access& access, const std::string& host, const std::string& origin = "") {
  const auto refusal = access.check_place(from(host, origin));
  EXPECT_EQ(refusal ? refusal->status : 403, 403);
  return !refusal;
}

TEST(Access, KnowsItsOwnHosts) {
  const Access access({}, 11435);
  for (const char* host : {"localhost:11435", "127.0.0.1:11435", "[::1]:11435", "LocalHost:11435"})
    EXPECT_TRUE(may_come(access, host)) << host;
  for (const char* host :
       {"localhost", "localhost:80", "localhost:114350", "evil.example:11435", "127.0.0.2:11435",
        "localhost.evil.example:11435", "", ":11435", "[::1", "127.0.0.1:11435:1"})
    EXPECT_FALSE(may_come(access, host)) << host;
}

TEST(Access, TakesHostsThatAreAllowed) {
  ServerOptions options;
  options.host = "192.168.1.5";
  options.allowed_hosts = {"inkstone.home", "chat.home:8080"};
  const Access access(options, 80);
  for (const char* host :
       {"inkstone.home", "Inkstone.Home:99", "chat.home:8080", "192.168.1.5", "192.168.1.5:80"})
    EXPECT_TRUE(may_come(access, host)) << host;
  for (const char* host : {"chat.home", "chat.home:80", "x.inkstone.home", "192.168.1.6"})
    EXPECT_FALSE(may_come(access, host)) << host;
}

TEST(Access, BoundToAllAddressesTakesAnyAddressButNoName) {
  ServerOptions options;
  options.host = "0.0.0.0";
  const Access access(options, 5);
  EXPECT_TRUE(may_come(access, "10.1.2.3:5"));
  EXPECT_TRUE(may_come(access, "[fe80::1]:5"));
  EXPECT_FALSE(may_come(access, "evil.example:5"));
  EXPECT_FALSE(may_come(access, "10.1.2.3.evil.example:5"));
}

TEST(Access, ForeignPagesStayOutside) {
  ServerOptions options;
  options.allowed_origins = {"https://chat.example", "vscode-webview://*"};
  const Access access(options, 11435);
  const std::string host = "127.0.0.1:11435";
  for (const char* origin : {"http://127.0.0.1:11435", "http://localhost:11435", "http://[::1]:11435",
                             "https://127.0.0.1:11435", "https://chat.example", "vscode-webview://a1b2"})
    EXPECT_TRUE(may_come(access, host, origin)) << origin;
  for (const char* origin : {"null", "http://localhost:3000", "https://evil.example", "http://chat.example",
                             "https://chat.example.evil.example", "file://", "http://127.0.0.1"})
    EXPECT_FALSE(may_come(access, host, origin)) << origin;
  options.allowed_origins = {"*"};
  EXPECT_TRUE(may_come(Access(options, 11435), host, "https://evil.example"));
}

TEST(Access, KeysByEitherHeaderHaveTheSameRights) {
  ServerOptions options;
  options.keys = {"first-key", "second"};
  const Access access(options, 1);
  const auto has = [&](const char* header, const char* value) {
    Request request;
    request.headers[header] = value;
    return access.has_key(request);
  };
  for (const char* key : {"first-key", "second"}) {
    EXPECT_TRUE(has("x-api-key", key));
    EXPECT_TRUE(has("authorization", (std::string("Bearer ") + key).c_str()));
    EXPECT_TRUE(has("authorization", (std::string("bearer  ") + key).c_str()));
    EXPECT_FALSE(has("authorization", key));
    EXPECT_FALSE(has("authorization", (std::string("Basic ") + key).c_str()));
  }
  for (const char* key : {"", "first", "first-kez", "first-keyfirst-key", "secondsecond", " second"})
    EXPECT_FALSE(has("x-api-key", key)) << key;
  EXPECT_FALSE(access.has_key({}));
  EXPECT_TRUE(Access({}, 1).has_key({})) << "nobody needs a key where none is set";
}

TEST(Access, ComparesSecrets) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  for (const char* wrong : {"", "a", "abd", "abcabc", "ABC"})
    EXPECT_FALSE(equal_in_constant_time(wrong, "abc"));
}

TEST(Listener, IsNotOpenToOthersByMistake) {
  ServerOptions options;
  options.host = "0.0.0.0";
  const auto refused = Listener::open(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("no key is set"), std::string::npos);
  options.without_key = true;
  EXPECT_TRUE(Listener::open(options).ok());
  options.without_key = false;
  options.keys = {"k"};
  EXPECT_TRUE(Listener::open(options).ok());
}

TEST(Listener, TakesAddressesAndLooksUpNoName) {
  for (const char* host : {"127.0.0.1", "localhost", "::1", "[::1]"}) {
    ServerOptions options;
    options.host = host;
    const auto listener = Listener::open(options);
    if (!listener.ok() && std::string(host).find("::") != std::string::npos)
      continue;  // a machine without IPv6
    ASSERT_TRUE(listener.ok()) << listener.error().message();
    EXPECT_GT(listener->port(), 0);
    EXPECT_TRUE(listener->address().starts_with("http://"));
  }
  ServerOptions options;
  options.host = "inkstone.example";
  options.without_key = true;
  EXPECT_FALSE(Listener::open(options).ok());
}

TEST(Listener, SaysThatAPortIsInUse) {
  const auto first = Listener::open({});
  ASSERT_TRUE(first.ok());
  ServerOptions options;
  options.port = first->port();
  const auto second = Listener::open(options);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message().find("another program listens"), std::string::npos);
}

}  // namespace
}  // namespace ink::server
