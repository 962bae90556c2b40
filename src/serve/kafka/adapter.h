// Turns typed handler functions into rows of the handler table:
//   Result<MetadataResponse> metadata(Context&, MetadataRequest&)          answers at once
//   Async<Result<JoinGroupResponse>> join_group(Context&, JoinGroupRequest&)  waits
#pragma once

#include "serve/kafka/handlers.h"

namespace aichemy::serve::kafka {

template <class Response, class Request>
Async<Result<Reply>> decode_and_call(Context& context,
                                     Result<Response> (*handle)(Context&, Request&)) {
  Request request;
  CO_RETURN_IF_ERROR(wire::decode(Request::kTable, context.header.version, context.flexible,
                                  context.body, &request));
  CO_ASSIGN_OR_RETURN(Response response, handle(context, request));
  co_return make_reply(context, Response::kTable, &response);
}

template <class Response, class Request>
Async<Result<Reply>> decode_and_call(Context& context,
                                     Async<Result<Response>> (*handle)(Context&, Request&)) {
  Request request;
  CO_RETURN_IF_ERROR(wire::decode(Request::kTable, context.header.version, context.flexible,
                                  context.body, &request));
  CO_ASSIGN_OR_RETURN(Response response, co_await handle(context, request));
  co_return make_reply(context, Response::kTable, &response);
}

// Waits for a callback that may come from any thread, once; resumes on the connection's loop.
template <class T, class Start>
Async<T> from_callback(Start start) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
      [](auto handler, Start begin) {
        auto executor = asio::get_associated_executor(handler);
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        begin([shared, executor](T value) {
          asio::post(executor, [shared, value = std::move(value)]() mutable {
            std::move (*shared)(std::move(value));
          });
        });
      },
      asio::use_awaitable, std::move(start));
}

}  // namespace aichemy::serve::kafka
