// A client that sends exactly the bytes it is told to, for the tests of the transport.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>

namespace ink::server {

class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer > 0)
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_port = htons(port);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  }
  explicit RawClient(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un place{};
    place.sun_family = AF_UNIX;
    path.copy(place.sun_path, sizeof place.sun_path - 1);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  }
  ~RawClient() { leave(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  void leave() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  // False: the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // What has come once `wanted` is in it; everything, when the server closes before or `patience` is over.
  std::string read_until(std::string_view wanted, std::chrono::milliseconds patience = kPatience) {
    while (received_.find(wanted) == std::string::npos && read_some(patience)) {
    }
    return received_;
  }
  std::string read_to_the_end() {
    while (read_some(kPatience)) {
    }
    return received_;
  }
  // One answer with its body by content-length; what follows stays for the next.
  std::string read_answer() {
    const std::string head = read_until("\r\n\r\n");
    const size_t body = head.find("\r\n\r\n") + 4, length = head.find("content-length: ");
    const size_t size = body + (length < body ? std::stoul(head.substr(length + 16)) : 0);
    while (received_.size() < size && read_some(kPatience)) {
    }
    const std::string answer = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }
  bool is_closed() const { return closed_; }

 private:
  static constexpr std::chrono::milliseconds kPatience{20'000};  // more than any healthy machine needs

  bool read_some(std::chrono::milliseconds patience) {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) != 1) return false;
    char piece[4096];
    const ssize_t size = ::recv(socket_, piece, sizeof piece, 0);
    closed_ = size <= 0;
    if (!closed_) received_.append(piece, static_cast<size_t>(size));
    return !closed_;
  }

  int socket_;
  bool connected_ = false, closed_ = false;
  std::string received_;
};

}  // namespace ink::server
