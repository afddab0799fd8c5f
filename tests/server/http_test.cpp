// The whole transport on port 0: what clients do wrong, what they do on purpose, and what happens when they
// leave. Nothing here measures time; where a limit is a time it is made short, and only its effect is looked
// at.
#include "server/http.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <thread>

#include "base/json.h"
#include "server/page.h"
#include "tests/server/raw_client.h"

namespace ink::server {
namespace {

using std::chrono::milliseconds;

bool comes_true(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

Reply text(std::string body) { return {200, "text/plain", std::move(body), {}}; }

// A server with endpoints that do one thing each.
class HttpTest : public ::testing::Test {
 protected:
  void start() {
    const auto add = [&](const char* method, const char* path, Endpoint endpoint, bool is_slow = false,
                         bool needs_key = true) {
      routes_.push_back({method, path, std::move(endpoint), needs_key, is_slow});
    };
    add("GET", "/quick", [](const Request&, Responder& out) { out.reply(text("here")); });
    add(
        "GET", "/open", [](const Request&, Responder& out) { out.reply(text("open")); }, false, false);
    add("POST", "/echo", [](const Request& in, Responder& out) { out.reply(text(in.body)); });
    add("GET", "/named/{name}",
        [](const Request& in, Responder& out) { out.reply(text(in.query.at("name"))); });
    add("GET", "/silent", [](const Request&, Responder&) {});
    add("GET", "/throws", [](const Request&, Responder&) { throw std::bad_alloc(); });
    add("GET", "/stream", [](const Request&, Responder& out) {
      out.begin(200, "text/event-stream");
      for (const char* piece : {"data: 1\n\n", "data: 2\n\n", "data: [DONE]\n\n"}) out.write(piece);
      out.end();
    });
    add("GET", "/half", [](const Request&, Responder& out) {
      out.begin(200, "text/event-stream");
      out.write("data: 1\n\n");
    });
    // Says one event and then waits until the client has gone, or the test lets it end.
    add(
        "GET", "/long",
        [this](const Request&, Responder& out) {
          ++running_;
          out.begin(200, "text/event-stream");
          out.write("data: begun\n\n");
          while (!out.gone() && !may_end_) std::this_thread::sleep_for(milliseconds(1));
          if (out.gone()) ++left_;
          if (!out.gone()) out.write("data: done\n\n"), out.end();
          --running_;
        },
        true);
    add(
        "GET", "/flood",
        [this](const Request&, Responder& out) {
          out.begin(200, "text/event-stream");
          const std::string event = "data: " + std::string(1000, 'x') + "\n\n";
          while (out.write(event)) {
          }
          if (out.gone()) ++left_;
        },
        true);
    add(
        "GET", "/large", [](const Request&, Responder& out) { out.reply(text(std::string(64 << 20, 'x'))); },
        true);
    auto server = HttpServer::start(options_, routes_, metrics_);
    ASSERT_TRUE(server.ok()) << server.error().message();
    server_ = std::move(*server);
  }

  std::string host() const { return "Host: 127.0.0.1:" + std::to_string(server_->port()) + "\r\n"; }
  std::string get(const std::string& path, const std::string& fields = "") const {
    return "GET " + path + " HTTP/1.1\r\n" + host() + fields + "\r\n";
  }
  std::string post(const std::string& path, const std::string& body, const std::string& fields = "") const {
    return "POST " + path + " HTTP/1.1\r\n" + host() + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  std::string ask(const std::string& bytes) const {
    RawClient client(server_->port());
    client.send(bytes);
    return client.read_answer();
  }
  static int status(const std::string& answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
  }
  static std::string body(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

  ServerOptions options_;
  std::vector<Route> routes_;
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  std::atomic<int> running_{0}, left_{0};
  std::atomic<bool> may_end_{false};
  std::unique_ptr<HttpServer> server_;  // last: its threads use the others
};

TEST_F(HttpTest, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    client.send(get("/quick"));
    const std::string answer = client.read_answer();
    EXPECT_EQ(status(answer), 200);
    EXPECT_EQ(body(answer), "here");
    EXPECT_NE(answer.find("connection: keep-alive"), std::string::npos);
    EXPECT_NE(answer.find("x-content-type-options: nosniff"), std::string::npos);
    EXPECT_NE(answer.find("x-request-id: "), std::string::npos);
  }
  client.send(get("/quick", "Connection: close\r\n"));
  EXPECT_NE(client.read_to_the_end().find("connection: close"), std::string::npos);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(HttpTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  RawClient client(server_->port());
  std::string all;
  for (int i = 0; i < 20; ++i) all += post("/echo", "body " + std::to_string(i));
  client.send(all);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(body(client.read_answer()), "body " + std::to_string(i));
}

TEST_F(HttpTest, StreamsInChunks) {
  start();
  RawClient client(server_->port());
  client.send(get("/stream"));
  EXPECT_TRUE(client.read_until("0\r\n\r\n").find("9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n") !=
              std::string::npos);
  RawClient old(server_->port());
  old.send("GET /stream HTTP/1.0\r\n" + host() + "\r\n");
  EXPECT_EQ(body(old.read_to_the_end()), "data: 1\n\ndata: 2\n\ndata: [DONE]\n\n");
}

TEST_F(HttpTest, AnswersHeadAndOptions) {
  start();
  RawClient client(server_->port());
  client.send("HEAD /quick HTTP/1.1\r\n" + host() + "\r\n");
  const std::string head = client.read_until("\r\n\r\n");
  EXPECT_EQ(status(head), 200);
  EXPECT_NE(head.find("content-length: 4"), std::string::npos);
  EXPECT_TRUE(body(head).empty());
  const std::string options = ask("OPTIONS /echo HTTP/1.1\r\n" + host() + "\r\n");
  EXPECT_EQ(status(options), 204);
  EXPECT_NE(options.find("allow: POST, OPTIONS"), std::string::npos);
  EXPECT_EQ(status(ask("OPTIONS * HTTP/1.1\r\n" + host() + "\r\n")), 204);
}

TEST_F(HttpTest, FindsNamesWithSlashes) {
  start();
  EXPECT_EQ(body(ask(get("/named/Qwen/Qwen3-0.6B"))), "Qwen/Qwen3-0.6B");
  EXPECT_EQ(body(ask(get("/named/Qwen%2FQwen3"))), "Qwen/Qwen3");
  EXPECT_EQ(status(ask(get("/named/"))), 404);
}

TEST_F(HttpTest, RefusesWhatDoesNotExist) {
  start();
  const std::string answer = ask(get("/nothing"));
  EXPECT_EQ(status(answer), 404);
  EXPECT_EQ(Json::parse(body(answer))["error"]["type"], "not_found_error");
  EXPECT_TRUE(Json::parse(body(ask(get("/api/nothing"))))["error"].is_string()) << "Ollama's shape";
  EXPECT_EQ(Json::parse(body(ask(get("/v1/messages/nothing"))))["type"], "error") << "Anthropic's shape";
  const std::string wrong = ask(post("/quick", ""));
  EXPECT_EQ(status(wrong), 405);
  EXPECT_NE(wrong.find("allow: GET, HEAD"), std::string::npos);
  EXPECT_EQ(status(ask("BREW /quick HTTP/1.1\r\n" + host() + "\r\n")), 405);
  EXPECT_EQ(status(ask("TRACE /quick HTTP/1.1\r\n" + host() + "\r\n")), 405);
}

TEST_F(HttpTest, EndpointsThatFailAreAnsweredFor) {
  start();
  EXPECT_EQ(status(ask(get("/silent"))), 500);
  EXPECT_EQ(status(ask(get("/throws"))), 500);
  RawClient client(server_->port());
  client.send(get("/half"));
  EXPECT_EQ(client.read_to_the_end().find("0\r\n\r\n"), std::string::npos)
      << "half a stream must not look whole";
  EXPECT_EQ(status(ask(get("/quick"))), 200);
}

TEST_F(HttpTest, MalformedRequestsAreRefusedAndTheConnectionEnds) {
  start();
  for (const char* bytes : {"nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"}) {
    RawClient client(server_->port());
    client.send(bytes);
    EXPECT_EQ(status(client.read_to_the_end()), 400) << bytes;
    EXPECT_TRUE(client.is_closed());
  }
  EXPECT_EQ(status(ask("POST /echo HTTP/1.1\r\n" + host() + "\r\n")), 411);
  EXPECT_EQ(status(ask(get("/" + std::string(10'000, 'a')))), 414);
  EXPECT_EQ(status(ask(get("/%ff"))), 400);
}

TEST_F(HttpTest, AHeaderFloodIsCutOff) {
  start();
  RawClient client(server_->port());
  client.send("GET /quick HTTP/1.1\r\n" + host());
  for (int i = 0; i < 100'000 && client.send("X-" + std::to_string(i) + ": y\r\n"); ++i) {
  }
  EXPECT_EQ(status(client.read_to_the_end()), 431);
}

TEST_F(HttpTest, ALargeBodyIsRefusedBeforeItIsRead) {
  start();
  RawClient client(server_->port());
  client.send("POST /echo HTTP/1.1\r\n" + host() + "Content-Length: 104857600\r\n\r\n");
  const std::string piece(1 << 20, 'x');
  for (int i = 0; i < 100 && client.send(piece); ++i) {
  }
  EXPECT_EQ(status(client.read_to_the_end()), 413);
  EXPECT_EQ(body(ask(post("/echo", std::string(5 << 20, 'y')))).size(), 5u << 20)
      << "a large one within the limit";
}

TEST_F(HttpTest, ChunksBeyondTheLimitAreRefused) {
  options_.limits.body_bytes = 10'000;
  start();
  RawClient client(server_->port());
  client.send("POST /echo HTTP/1.1\r\n" + host() + "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 100 && client.send("3e8\r\n" + std::string(1000, 'x') + "\r\n"); ++i) {
  }
  EXPECT_EQ(status(client.read_to_the_end()), 413);
}

TEST_F(HttpTest, BodiesOfAllRequestsTogetherAreBounded) {
  options_.limits.all_bodies_bytes = 100'000;
  start();
  RawClient first(server_->port()), second(server_->port());
  const std::string unfinished =
      "POST /echo HTTP/1.1\r\n" + host() + "Content-Length: 90000\r\n\r\n" + std::string(80'000, 'x');
  first.send(unfinished);
  second.send(unfinished);
  // One of them is refused, whichever came later; the other one is answered.
  ASSERT_TRUE(comes_true([&] { return metrics_->text().find("code=\"503\"} 1") != std::string::npos; }));
  const bool first_refused = status(first.read_until("\r\n\r\n", milliseconds(200))) == 503;
  EXPECT_EQ(status((first_refused ? first : second).read_until("\r\n\r\n")), 503);
  RawClient& other = first_refused ? second : first;
  other.send(std::string(10'000, 'x'));
  EXPECT_EQ(status(other.read_answer()), 200);
}

TEST_F(HttpTest, SlowlorisIsEnded) {
  options_.limits.header_timeout = milliseconds(100);
  options_.limits.body_timeout = milliseconds(100);
  options_.limits.idle_timeout = milliseconds(100);
  start();
  RawClient header(server_->port()), in_body(server_->port()), idle(server_->port());
  header.send("GET /quick HT");
  in_body.send("POST /echo HTTP/1.1\r\n" + host() + "Content-Length: 10\r\n\r\nabc");
  EXPECT_EQ(status(header.read_to_the_end()), 408);
  EXPECT_EQ(status(in_body.read_to_the_end()), 408);
  EXPECT_EQ(idle.read_to_the_end(), "");
  EXPECT_TRUE(idle.is_closed());
}

TEST_F(HttpTest, ExpectContinueIsAnsweredOnlyWhereTheBodyIsWanted) {
  options_.keys = {"k"};
  start();
  const std::string head =
      "POST /echo HTTP/1.1\r\n" + host() + "Content-Length: 5\r\nExpect: 100-continue\r\n";
  RawClient client(server_->port());
  client.send(head + "x-api-key: k\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_TRUE(client.read_until("hello").ends_with("hello"));
  RawClient other(server_->port());
  other.send(head + "\r\n");
  EXPECT_EQ(status(other.read_answer()), 401);
}

TEST_F(HttpTest, ForeignHostsAndOriginsGet403) {
  options_.allowed_origins = {"https://chat.example"};
  start();
  EXPECT_EQ(status(ask("GET /quick HTTP/1.1\r\nHost: evil.example\r\n\r\n")), 403);
  const std::string refused = ask(get("/quick", "Origin: https://evil.example\r\n"));
  EXPECT_EQ(status(refused), 403);
  EXPECT_EQ(refused.find("access-control-allow-origin"), std::string::npos);
  const std::string welcome = ask(get("/quick", "Origin: https://chat.example\r\n"));
  EXPECT_EQ(status(welcome), 200);
  EXPECT_NE(welcome.find("access-control-allow-origin: https://chat.example"), std::string::npos);
}

TEST_F(HttpTest, PreflightsAreAnsweredForAllowedOriginsOnly) {
  options_.keys = {"k"};
  options_.allowed_origins = {"https://chat.example"};
  start();
  const auto preflight = [&](const std::string& origin) {
    return ask(
        "OPTIONS /echo HTTP/1.1\r\n" + host() + "Origin: " + origin +
        "\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n");
  };
  const std::string allowed = preflight("https://chat.example");
  EXPECT_EQ(status(allowed), 204) << "a preflight has no key";
  EXPECT_NE(allowed.find("access-control-allow-methods: POST, OPTIONS"), std::string::npos);
  EXPECT_NE(allowed.find("access-control-allow-headers: authorization"), std::string::npos);
  const std::string refused = preflight("https://evil.example");
  EXPECT_EQ(status(refused), 403);
  EXPECT_EQ(refused.find("access-control-"), std::string::npos);
}

TEST_F(HttpTest, KeysAreNeededWhereOneIsSet) {
  options_.keys = {"right"};
  start();
  EXPECT_EQ(status(ask(get("/open"))), 200);
  EXPECT_EQ(status(ask(get("/quick", "x-api-key: right\r\n"))), 200);
  EXPECT_EQ(status(ask(get("/quick", "Authorization: Bearer right\r\n"))), 200);
  const std::string missing = ask(get("/quick")), wrong = ask(get("/quick", "x-api-key: wrong\r\n"));
  EXPECT_EQ(status(missing), 401);
  EXPECT_EQ(status(wrong), 401);
  EXPECT_EQ(body(missing), body(wrong));
  EXPECT_EQ(status(ask(get("/nothing"))), 401) << "nor which paths there are";
}

TEST_F(HttpTest, AClientThatLeavesIsNoticedAndItsThreadFreed) {
  options_.slow_threads = 1;
  start();
  RawClient client(server_->port());
  client.send(get("/long"));
  client.read_until("begun");
  EXPECT_EQ(running_, 1);
  client.leave();
  EXPECT_TRUE(comes_true([&] { return left_ == 1 && running_ == 0; }));
  may_end_ = true;
  RawClient next(server_->port());
  next.send(get("/long"));
  EXPECT_NE(next.read_until("done").find("done"), std::string::npos) << "the only thread is free again";
  EXPECT_NE(metrics_->text().find("clients_gone_total{why=\"left\"} 1"), std::string::npos);
}

// Who looks at the metrics wants to know what else runs.
TEST_F(HttpTest, ALookAtTheMetricsIsNoRunningRequest) {
  routes_.push_back(metrics_route(metrics_));
  start();
  EXPECT_NE(ask(get("/metrics")).find("\ninkstone_requests_running 0\n"), std::string::npos);
  RawClient client(server_->port());
  client.send(get("/long"));
  client.read_until("begun");
  EXPECT_NE(ask(get("/metrics")).find("\ninkstone_requests_running 1\n"), std::string::npos);
}

TEST_F(HttpTest, WhoWaitsInTheLineMayLeaveToo) {
  options_.slow_threads = 1;
  start();
  RawClient first(server_->port());
  first.send(get("/long"));
  first.read_until("begun");
  {
    RawClient second(server_->port());
    second.send(get("/long"));
    EXPECT_TRUE(comes_true([&] { return metrics_->waiting == 1; }));
  }
  EXPECT_TRUE(comes_true([&] { return metrics_->waiting == 0; }));
  EXPECT_EQ(running_, 1);
}

TEST_F(HttpTest, AFullLineIsSaidAtOnce) {
  options_.slow_threads = 1;
  options_.limits.waiting = 1;
  start();
  RawClient first(server_->port()), second(server_->port());
  first.send(get("/long"));
  first.read_until("begun");
  second.send(get("/long"));
  ASSERT_TRUE(comes_true([&] { return metrics_->waiting == 1; }));
  const std::string third = ask(get("/long"));
  EXPECT_EQ(status(third), 503);
  EXPECT_NE(third.find("retry-after: "), std::string::npos);
  EXPECT_EQ(Json::parse(body(third))["error"]["type"], "unavailable_error");
  EXPECT_EQ(status(ask(get("/quick"))), 200) << "quick requests do not wait behind slow ones";
  may_end_ = true;
  EXPECT_NE(second.read_until("done").find("done"), std::string::npos);
}

TEST_F(HttpTest, AReaderThatStallsIsDropped) {
  options_.limits.stall_timeout = milliseconds(200);
  start();
  RawClient client(server_->port(), 4096);
  client.send(get("/large"));
  client.read_until("\r\n\r\n");
  EXPECT_TRUE(comes_true(
      [&] { return metrics_->text().find("clients_gone_total{why=\"stalled\"} 1") != std::string::npos; }));
}

TEST_F(HttpTest, AStreamThatIsNotReadIsBounded) {
  options_.limits.unread_bytes = 100'000;
  start();
  RawClient client(server_->port(), 4096);
  client.send(get("/flood"));
  EXPECT_TRUE(comes_true([&] { return left_ == 1; }));
  EXPECT_TRUE(comes_true(
      [&] { return metrics_->text().find("clients_gone_total{why=\"overflow\"} 1") != std::string::npos; }));
}

TEST_F(HttpTest, SilentStreamsOfEventsArePinged) {
  options_.limits.ping_interval = milliseconds(20);
  start();
  RawClient client(server_->port());
  client.send(get("/long"));
  EXPECT_NE(client.read_until(": ping\n\n").find(": ping\n\n"), std::string::npos);
}

TEST_F(HttpTest, ManyClientsAtOnce) {
  options_.slow_threads = 8;
  start();
  may_end_ = true;
  std::vector<std::future<int>> clients;
  for (int i = 0; i < 32; ++i)
    clients.push_back(std::async(std::launch::async, [this, i] {
      int right = 0;
      for (int round = 0; round < 20; ++round) {
        RawClient client(server_->port());
        const std::string said = "client " + std::to_string(i) + " round " + std::to_string(round);
        client.send(post("/echo", said));
        right += body(client.read_answer()) == said;
        client.send(get(round % 2 == 0 ? "/long" : "/stream"));
        if (round % 5 == 4) continue;  // leaves
        right += client.read_until("0\r\n\r\n").ends_with("0\r\n\r\n");
      }
      return right;
    }));
  for (auto& client : clients) EXPECT_EQ(client.get(), 36);
  EXPECT_TRUE(comes_true([&] { return metrics_->connections == 0 && metrics_->running == 0; }));
  EXPECT_EQ(metrics_->waiting, 0);
}

TEST_F(HttpTest, ConnectionsAreBounded) {
  options_.limits.connections = 2;
  start();
  RawClient first(server_->port()), second(server_->port());
  first.send(get("/quick"));
  second.send(get("/quick"));
  first.read_answer();
  second.read_answer();
  RawClient third(server_->port());
  EXPECT_EQ(status(third.read_to_the_end()), 503);
  second.leave();
  EXPECT_TRUE(comes_true([&] { return status(ask(get("/quick"))) == 200; }));
}

TEST_F(HttpTest, ShutdownLetsWhatRunsEnd) {
  options_.slow_threads = 1;
  start();
  RawClient runs(server_->port()), waits(server_->port()), idle(server_->port());
  runs.send(get("/long"));
  runs.read_until("begun");
  waits.send(get("/long"));
  ASSERT_TRUE(comes_true([&] { return metrics_->waiting == 1; }));
  server_->shut_down(milliseconds(60'000));
  EXPECT_EQ(status(waits.read_to_the_end()), 503);
  EXPECT_EQ(idle.read_to_the_end(), "");
  EXPECT_FALSE(server_->wait(milliseconds(50)));
  EXPECT_FALSE(RawClient(server_->port()).connected()) << "nobody listens any more";
  may_end_ = true;
  EXPECT_TRUE(runs.read_to_the_end().ends_with("0\r\n\r\n"));
  EXPECT_TRUE(server_->wait(milliseconds(20'000)));
  EXPECT_EQ(left_, 0);
}

TEST_F(HttpTest, ShutdownCancelsAfterTheGrace) {
  start();
  RawClient client(server_->port());
  client.send(get("/long"));
  client.read_until("begun");
  server_->shut_down(milliseconds(60'000));
  server_->shut_down(milliseconds(10));  // somebody is in a hurry
  EXPECT_TRUE(server_->wait(milliseconds(20'000)));
  EXPECT_EQ(left_, 1);
  EXPECT_EQ(client.read_to_the_end().find("0\r\n\r\n"), std::string::npos);
}

TEST_F(HttpTest, AUnixSocketIsForItsOwnerAndLeavesNothing) {
  const auto folder = std::filesystem::temp_directory_path() / ("ink_http_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string path = folder / "api.sock";
  options_.host = path;
  { std::ofstream(path) << "not a socket"; }
  EXPECT_FALSE(HttpServer::start(options_, {}, metrics_).ok()) << "a file of a person stays";
  std::filesystem::remove(path);
  start();
  struct stat made {};
  ASSERT_EQ(::stat(path.c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 0777, 0600u);
  RawClient client(path);
  client.send("GET /quick HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(body(client.read_answer()), "here");
  const auto second = HttpServer::start(options_, {}, metrics_);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().message().find("another server listens"), std::string::npos);
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  std::filesystem::remove_all(folder);
}

TEST_F(HttpTest, TheFrontPageKnowsWhoAsks) {
  for (Route& route : page_routes({{"index.html", "<html>"}, {"assets/a.js", "1"}})) routes_.push_back(route);
  options_.keys = {"k"};
  start();
  EXPECT_EQ(body(ask(get("/", "Accept: text/html,*/*\r\n"))), "<html>");
  EXPECT_EQ(body(ask(get("/", "Accept: */*\r\n"))), "Inkstone is running");
  const std::string script = ask(get("/assets/a.js"));
  EXPECT_NE(script.find("content-type: text/javascript"), std::string::npos);
  EXPECT_NE(script.find("content-security-policy: default-src 'none'; script-src 'self'"), std::string::npos);
  EXPECT_NE(script.find("immutable"), std::string::npos);
  const size_t tag = script.find("etag: ") + 6;
  const std::string again =
      ask(get("/assets/a.js", "If-None-Match: " + script.substr(tag, script.find('\r', tag) - tag) + "\r\n"));
  EXPECT_EQ(status(again), 304);
  EXPECT_TRUE(body(again).empty());
}

}  // namespace
}  // namespace ink::server
