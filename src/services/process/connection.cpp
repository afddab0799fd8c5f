// A thread listens to the child and sorts what it says by exchange; callers wait for their own.
#include "services/process/connection.h"

namespace ink {
namespace {

constexpr std::chrono::seconds kWriteDeadline{5};

}  // namespace

Result<std::shared_ptr<Connection>> Connection::start(const std::set<std::string>& servers,
                                                      std::string program) {
  Child::Command command;
  command.arguments.push_back(program.empty() ? program_beside_ours("inkstone-connect") : std::move(program));
  command.arguments.insert(command.arguments.end(), servers.begin(), servers.end());
  auto child = Child::start(command, false);
  if (!child.ok()) {
    Error error = child.error();
    error.advice = "./inkstone build makes it";
    return error;
  }
  const std::shared_ptr<Connection> connection(new Connection(std::move(*child)));
  connection->listener_ =
      std::jthread([raw = connection.get()](const std::stop_token& stop) { raw->listen(stop); });
  return connection;
}

Connection::~Connection() {
  listener_.request_stop();
  if (listener_.joinable()) listener_.join();
}

void Connection::listen(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto line = child_->read_line(Clock::time_point::max(), stop);
    const std::lock_guard lock(mutex_);
    if (!line.ok()) {
      ended_ = true;
    } else if (line->has_value()) {
      const auto said = parse_json(**line, "inkstone-connect");
      const bool has_id =
          said.ok() && said->is_object() && said->contains("id") && (*said)["id"].is_number_integer();
      const auto found = has_id ? waiting_.find((*said)["id"].get<int64_t>()) : waiting_.end();
      if (found != waiting_.end()) found->second.push_back(*said);
    }
    heard_.notify_all();
    if (ended_) return;
  }
}

Status Connection::say(int64_t id, const Json& what) {
  Json line = {{"id", id}};
  line.update(what);
  const std::lock_guard lock(writing_);
  return child_->write_line(json_text(line), Clock::now() + kWriteDeadline);
}

Result<std::unique_ptr<Connection::Exchange>> Connection::open(const Json& order) {
  int64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    waiting_[id];
  }
  std::unique_ptr<Exchange> exchange(new Exchange(shared_from_this(), id));
  if (Status said = say(id, order); !said.ok()) return said.error();
  return exchange;
}

HttpReply Connection::request(Json http, Clock::time_point deadline, const std::stop_token& stop) {
  HttpReply reply;
  const auto exchange = open({{"http", std::move(http)}});
  if (!exchange.ok()) {
    reply.problem = NetworkProblem{"ended", exchange.error().message()};
    return reply;
  }
  const auto said = (*exchange)->next(deadline, stop);
  if (!said) {
    const bool stopped = stop.stop_requested();
    reply.problem =
        NetworkProblem{stopped ? "cancelled" : "timed_out", stopped ? "cancelled" : "no answer in time"};
  } else if (said->contains("error")) {
    reply.problem = NetworkProblem{said->value("kind", "garbage"), said->value("error", "")};
  } else {
    reply.status = said->value("status", 0);
    reply.headers = said->value("headers", Json::object()).get<std::map<std::string, std::string>>();
    reply.body = said->value("body", "");
  }
  return reply;
}

Connection::Exchange::~Exchange() {
  bool over = false;
  {
    const std::lock_guard lock(connection_->mutex_);
    over = connection_->ended_;
    connection_->waiting_.erase(id_);
  }
  // Of an exchange that has ended the child knows no more, and does nothing.
  if (!over) (void)connection_->say(id_, {{"cancel", true}});
}

std::optional<Json> Connection::Exchange::next(Clock::time_point deadline, const std::stop_token& stop) {
  std::unique_lock lock(connection_->mutex_);
  std::deque<Json>& queue = connection_->waiting_[id_];
  const auto ready = [&] { return !queue.empty() || connection_->ended_; };
  if (deadline == Clock::time_point::max())
    connection_->heard_.wait(lock, stop, ready);
  else
    connection_->heard_.wait_until(lock, stop, deadline, ready);
  if (queue.empty() && connection_->ended_)
    return Json{{"error", "inkstone-connect has ended"}, {"kind", "ended"}};
  if (queue.empty()) return {};
  Json said = std::move(queue.front());
  queue.pop_front();
  return said;
}

Status Connection::Exchange::send(const std::string& text) { return connection_->say(id_, {{"send", text}}); }

}  // namespace ink
