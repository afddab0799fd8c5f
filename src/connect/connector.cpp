// One thread, any number of conversations. Easy to get wrong: an exception of the library may not leave a
// coroutine, and a conversation that was cancelled says nothing more.
#include "connect/connector.h"

#include <unistd.h>
#include <cerrno>
#include <cstdlib>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "connect/stream.h"

namespace ink::connect {
namespace asio = boost::asio;

Connector::Connector(std::set<std::string> allowed, int input, int output)
    : allowed_(std::move(allowed)), output_(output), input_(context_, input) {
  tls_.set_default_verify_paths();
}

void Connector::run() {
  asio::co_spawn(context_, read_orders(), asio::detached);
  context_.run();
}

void Connector::say(int64_t id, const Json& what) {
  Json line = {{"id", id}};
  line.update(what);
  const std::string text = line.dump() + "\n";
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = ::write(output_, text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) std::_Exit(1);  // the parent is gone
    if (written > 0) at += static_cast<size_t>(written);
  }
}

asio::awaitable<void> Connector::read_orders() {
  std::string buffer;
  while (true) {
    boost::system::error_code error;
    const size_t size = co_await asio::async_read_until(
        input_, asio::dynamic_buffer(buffer, static_cast<size_t>(2 * kMaxBodyBytes)), '\n',
        asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    co_await obey(buffer.substr(0, size));
    buffer.erase(0, size);
  }
  context_.stop();
}

asio::awaitable<void> Connector::obey(const std::string& line) {
  auto order = parse_order(line);
  if (!order.ok()) {
    const Json json = Json::parse(line, nullptr, false);
    const bool has_id = json.is_object() && json.contains("id") && json["id"].is_number_integer();
    say(has_id ? json["id"].get<int64_t>() : 0, {{"error", order.error().message()}, {"kind", "wrong"}});
  } else if (const auto* message = std::get_if<Send>(&order->what)) {
    co_await send(order->id, message->text);
  } else if (std::holds_alternative<Cancel>(order->what)) {
    cancel(order->id);
  } else {
    begin(std::move(*order));
  }
}

asio::awaitable<void> Connector::send(int64_t id, const std::string& text) {
  const auto found = conversations_.find(id);
  if (found == conversations_.end() || !found->second->socket) co_return;  // it has ended, and that was said
  const std::shared_ptr<Socket> socket = found->second->socket;
  try {
    co_await socket->send(text);
  } catch (const std::exception&) {
    // The receiving side of the same socket meets the same end and says it.
  }
}

void Connector::cancel(int64_t id) {
  const auto found = conversations_.find(id);
  if (found == conversations_.end()) return;
  const std::shared_ptr<Conversation> conversation = found->second;
  conversations_.erase(found);
  conversation->cancel.emit(asio::cancellation_type::terminal);
}

void Connector::begin(Order order) {
  const int64_t id = order.id;
  const auto* http = std::get_if<HttpRequest>(&order.what);
  const Address& address = http ? http->address : std::get<SocketRequest>(order.what).address;
  if (!allowed_.contains(address.host_and_port())) {
    say(id, {{"error", address.host_and_port() + " is not one of the servers named at the start"},
             {"kind", "not_allowed"}});
    return;
  }
  if (conversations_.contains(id)) {
    say(id, {{"error", "the id is in use"}, {"kind", "wrong"}});
    return;
  }
  const auto conversation = std::make_shared<Conversation>();
  conversations_[id] = conversation;
  const auto tell = [this, id, conversation](const Json& what) {
    const auto found = conversations_.find(id);
    if (found != conversations_.end() && found->second == conversation) say(id, what);
  };
  auto converse = [](Connector& self, Order kept, Say tell_it,
                     std::shared_ptr<Conversation> own) -> asio::awaitable<void> {
    // Named, because GCC 12 destroys a temporary of a co_await twice.
    const std::function<void(std::shared_ptr<Socket>)> opened = [own](std::shared_ptr<Socket> socket) {
      own->socket = std::move(socket);
    };
    if (const auto* request = std::get_if<HttpRequest>(&kept.what))
      co_await run_http(*request, self.tls_, tell_it);
    else
      co_await run_socket(std::get<SocketRequest>(kept.what), self.tls_, tell_it, opened);
  };
  auto ended = [this, id, conversation, tell](const std::exception_ptr& why) {
    try {
      if (why) std::rethrow_exception(why);
    } catch (const Failure& failure) {
      tell({{"error", failure.what()}, {"kind", failure.kind}});
    } catch (const std::exception& failure) {
      tell({{"error", failure.what()}, {"kind", "garbage"}});
    }
    const auto found = conversations_.find(id);
    if (found != conversations_.end() && found->second == conversation) conversations_.erase(found);
  };
  asio::co_spawn(context_, converse(*this, std::move(order), tell, conversation),
                 asio::bind_cancellation_slot(conversation->cancel.slot(), ended));
}

}  // namespace ink::connect
