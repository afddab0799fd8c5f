// Requests from arbitrary bytes, through everything that looks at them before an endpoint does: whatever the
// pieces in which they come, the same request or the same refusal comes out; what comes out keeps the limits
// and is UTF-8; and who may come in can be decided about it. Input: one byte for the size of the pieces, then
// what a client sends.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "server/access.h"
#include "server/refusal.h"
#include "server/request_reader.h"
#include "server/router.h"

namespace {

using namespace ink::server;
using State = RequestReader::State;

void require(bool condition) {
  if (!condition) std::abort();
}

Limits fuzzed_limits() {
  Limits limits;
  limits.header_bytes = 1024;
  limits.target_bytes = 256;
  limits.header_count = 12;
  limits.body_bytes = 512;
  return limits;
}

void check_request(const Request& request) {
  const Limits limits = fuzzed_limits();
  require(request.body.size() <= limits.body_bytes);
  require(request.headers.size() <= limits.header_count && request.headers.contains("host"));
  require(!ink::find_invalid_utf8(request.path) && request.path.find('\0') == std::string::npos);
  require(request.path.starts_with('/') || (request.path == "*" && request.method == "OPTIONS"));
  for (const auto& [name, value] : request.query)
    require(!ink::find_invalid_utf8(name) && !ink::find_invalid_utf8(value));
  for (const auto& [name, value] : request.headers)
    require(!ink::find_invalid_utf8(value) && value.find_first_of("\r\n") == std::string::npos);
}

void check_access(Request request) {
  static const Access kAccess = [] {
    ServerOptions options;
    options.keys = {"a key"};
    options.allowed_origins = {"https://allowed.example", "app://*"};
    return Access(options, 80);
  }();
  static const Router kRouter({{"GET", "/v1/models", nullptr}, {"GET", "/v1/models/{id}", nullptr}});
  if (const auto refusal = kAccess.check_place(request))
    require(!ink::find_invalid_utf8(refusal_reply(*refusal, request.path).body));
  static_cast<void>(kAccess.has_key(request));
  if (kRouter.find(request)) require(request.path.starts_with("/v1/models"));
}

// The requests in the bytes, each as a text, and the refusal that ends them if one does.
std::vector<std::string> read_all(std::string_view bytes, size_t piece) {
  std::vector<std::string> found;
  std::string input;
  auto reader = std::make_unique<RequestReader>(fuzzed_limits());
  while (true) {
    const State before = reader->state();
    const size_t left = input.size();
    const State state = reader->take(input);
    if (state == State::kRefused) {
      found.push_back(std::to_string(reader->refusal().status) + reader->refusal().message);
      return found;
    }
    if (state == State::kWhole) {
      const Request request = reader->whole();
      check_request(request);
      check_access(request);
      found.push_back(request.method + " " + request.path + " " + request.body);
      reader = std::make_unique<RequestReader>(fuzzed_limits());
      continue;
    }
    if (state != before || input.size() != left) continue;
    if (bytes.empty()) return found;
    input.append(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read_all(bytes, bytes.size() + 1);
  require(whole == read_all(bytes, size_t{1} + data[0] % 32));
  return 0;
}
