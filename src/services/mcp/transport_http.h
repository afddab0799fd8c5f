// A server that is reached by "streamable HTTP" (version 2025-03-26 and later): every message is a POST, and
// the answer is one JSON text or a stream of events that ends with it. The session that the server may open
// is named in every later request and closed at the end; when the server has forgotten it, that is said with
// kSessionExpired. The stream of a GET, on which a server may speak without being asked, is not opened.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "services/mcp/transport.h"
#include "services/process/connection.h"

namespace ink::mcp {

inline constexpr size_t kMostBodyBytes = size_t{8} << 20;

class HttpTransport final : public Transport {
 public:
  // headers: from the person's configuration, for instance Authorization; ours win.
  HttpTransport(std::shared_ptr<Connection> connection, std::string url,
                std::map<std::string, std::string> headers)
      : connection_(std::move(connection)), url_(std::move(url)), headers_(std::move(headers)) {}
  ~HttpTransport() override;

  std::optional<Problem> ask(const Json& message, const Patience& patience, const Hear& hear) override;
  std::optional<Problem> tell(const Json& message, const Patience& patience) override;
  void agree(const std::string& protocol_version) override { protocol_version_ = protocol_version; }

 private:
  Json order(const char* method, const std::string& body, const Patience& patience) const;

  std::shared_ptr<Connection> connection_;
  std::string url_;
  std::map<std::string, std::string> headers_;
  std::string session_;
  std::string protocol_version_;
};

}  // namespace ink::mcp
