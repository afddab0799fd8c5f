// Requests from bytes: what is taken, what is refused and with which status, whole or byte by byte.
#include "server/request_reader.h"

#include <gtest/gtest.h>

namespace ink::server {
namespace {

using State = RequestReader::State;

Limits small_limits() {
  Limits limits;
  limits.header_bytes = 2000;
  limits.target_bytes = 200;
  limits.header_count = 10;
  limits.body_bytes = 1000;
  return limits;
}

struct Outcome {
  State state = State::kHead;
  int status = 0;  // of a refusal
  Request request;
  std::string rest;
  bool operator==(const Outcome& other) const {
    return state == other.state && status == other.status && request.path == other.request.path &&
           request.query == other.request.query && request.body == other.request.body && rest == other.rest;
  }
};

Outcome read_in_pieces(std::string_view bytes, size_t piece) {
  RequestReader reader(small_limits());
  Outcome outcome;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    outcome.rest.append(bytes.substr(at, piece));
    State before = State::kHead;
    do {  // it stops once after the head
      before = reader.state();
      reader.take(outcome.rest);
    } while (reader.state() == State::kBody && before == State::kHead);
  }
  outcome.state = reader.state();
  if (outcome.state != State::kWhole) outcome.rest.clear();  // only then it is the next request's
  if (outcome.state == State::kRefused) {
    outcome.status = reader.refusal().status;
    EXPECT_FALSE(reader.refusal().message.empty());
  }
  if (outcome.state == State::kWhole) outcome.request = reader.whole();
  return outcome;
}

Outcome read(std::string_view bytes) {
  const Outcome whole = read_in_pieces(bytes, bytes.size());
  EXPECT_TRUE(whole == read_in_pieces(bytes, 1)) << bytes.substr(0, 200);
  EXPECT_TRUE(whole == read_in_pieces(bytes, 7)) << bytes.substr(0, 200);
  return whole;
}

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
}
std::string post(const std::string& fields, const std::string& body) {
  return "POST /x HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

TEST(RequestReader, TakesAPathAQueryAndHeaders) {
  const Outcome outcome = read(get("/v1/%E4%BD%A0?a=b+c&d=%26&e", "X-Thing:  one \r\nX-Thing: two\r\n"));
  ASSERT_EQ(outcome.state, State::kWhole);
  EXPECT_EQ(outcome.request.method, "GET");
  EXPECT_EQ(outcome.request.path, "/v1/你");
  EXPECT_EQ(outcome.request.query, (std::map<std::string, std::string>{{"a", "b c"}, {"d", "&"}, {"e", ""}}));
  EXPECT_EQ(outcome.request.headers.at("x-thing"), "one, two");
}

TEST(RequestReader, TakesBodiesByLengthAndInChunks) {
  EXPECT_EQ(read(post("Content-Length: 5\r\n", "hello")).request.body, "hello");
  const std::string chunks = "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nHost: b\r\n\r\n";
  const Outcome outcome = read(post("Transfer-Encoding: chunked\r\n", chunks));
  EXPECT_EQ(outcome.request.body, "hello");
  EXPECT_EQ(outcome.request.headers.at("host"), "a") << "a trailer must change nothing";
}

TEST(RequestReader, LeavesWhatFollows) {
  EXPECT_EQ(read(post("Content-Length: 2\r\n", "hiGET / HT")).rest, "GET / HT");
  EXPECT_EQ(read("\r\n\r\n" + get("/")).state, State::kWhole) << "line ends before a request are passed over";
}

TEST(RequestReader, TakesAWholeAddressAsItsTarget) {
  EXPECT_EQ(read(get("http://a/x?y=z")).request.path, "/x");
  EXPECT_EQ(read(get("http://a")).request.path, "/");
  EXPECT_EQ(read(get("http://b/x")).status, 400) << "two hosts";
}

TEST(RequestReader, WaitsForWhatIsMissing) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\n").state, State::kHead);
  EXPECT_EQ(read(post("Content-Length: 5\r\n", "hell")).state, State::kBody);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n")).state, State::kBody);
}

TEST(RequestReader, RefusesWhatIsNotHttp) {
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client's hello\r\n\r\n"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string("GET /\r\n\r\n"),
        std::string("GET / HTTP/1.1\nHost: a\n\n\r\n\r\n"), std::string("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), std::string("GET / HTTP/1.1\r\n: a\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 33)})
    EXPECT_EQ(read(bytes).status, 400) << bytes;
}

TEST(RequestReader, RefusesWhatTwoReadersCouldUnderstandDifferently) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n").status, 400) << "no host";
  EXPECT_EQ(read(get("/", "Host: b\r\n")).status, 400);
  EXPECT_EQ(read(get("/", "Authorization: x\r\nAuthorization: y\r\n")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: -5\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 99999999999999999999999\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")).status, 501);
  EXPECT_EQ(read("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "zz\r\n")).status, 400);
}

TEST(RequestReader, RefusesPathsThatAreNoText) {
  for (const char* target : {"/%ff", "/%00", "/%4", "/%zz", "/?a=%c3%28", "/a#b", "x", "*", "//%e4%bd"})
    EXPECT_EQ(read(get(target)).status, 400) << target;
}

TEST(RequestReader, KeepsItsLimits) {
  EXPECT_EQ(read(get("/" + std::string(300, 'a'))).status, 414);
  EXPECT_EQ(read("GET /" + std::string(300, 'a')).status, 414) << "also before the line has ended";
  EXPECT_EQ(read(get("/", "X: " + std::string(3000, 'a') + "\r\n")).status, 431);
  std::string many;
  for (int i = 0; i < 20; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(read(get("/", many)).status, 431);
  EXPECT_EQ(read(post("Content-Length: 1001\r\n", "")).status, 413) << "before a byte of it is read";
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "3e9\r\n" + std::string(1001, 'a') + "\r\n0\r\n\r\n"))
                .status,
            413);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(3000, 'a'))).status, 431);
}

TEST(RequestReader, WantsALengthAndNoCompression) {
  EXPECT_EQ(read(post("", "")).status, 411);
  EXPECT_EQ(read(post("Content-Length: 0\r\n", "")).state, State::kWhole);
  EXPECT_EQ(read(post("Content-Length: 3\r\nContent-Encoding: gzip\r\n", "abc")).status, 415);
  EXPECT_EQ(read(post("Content-Length: 3\r\nExpect: miracles\r\n", "abc")).status, 417);
  EXPECT_EQ(read("BREW / HTTP/1.1\r\nHost: a\r\n\r\n").request.method, "BREW") << "the router knows better";
}

TEST(RequestReader, DecodesEscapes) {
  std::string decoded;
  EXPECT_TRUE(percent_decode("a%20b+c", false, decoded));
  EXPECT_EQ(decoded, "a b+c");
  EXPECT_TRUE(percent_decode("a%20b+c", true, decoded));
  EXPECT_EQ(decoded, "a b c");
  for (const char* wrong : {"%", "%a", "%g0", "%0g", "%80", "%00"})
    EXPECT_FALSE(percent_decode(wrong, false, decoded)) << wrong;
}

}  // namespace
}  // namespace ink::server
