// Handlers of the API, by the page they serve. Each is a row of api_tables.cc.
#pragma once

#include "serve/console/exchange.h"

namespace aichemy::serve::console {

Result<Answer> get_session(Exchange& exchange);
Result<Answer> get_overview(Exchange& exchange);
Async<Status> stream_overview(Exchange& exchange, http::Request& request, http::Response& response,
                              const std::function<bool()>& stopping);
Result<Answer> list_queries(Exchange& exchange);
Result<Answer> get_query(Exchange& exchange);
Result<Answer> start_query(Exchange& exchange);
Result<Answer> get_page(Exchange& exchange);
Async<Status> download_result(Exchange& exchange, http::Request& request, http::Response& response,
                              const std::function<bool()>& stopping);
Result<Answer> get_progress(Exchange& exchange);
Result<Answer> cancel_query(Exchange& exchange);
Result<Answer> get_words(Exchange& exchange);
Result<Answer> list_saved_queries(Exchange& exchange);
Result<Answer> save_query(Exchange& exchange);
Result<Answer> change_saved_query(Exchange& exchange);
Result<Answer> remove_saved_query(Exchange& exchange);
Result<Answer> list_schemas(Exchange& exchange);
Result<Answer> list_relations(Exchange& exchange);
Result<Answer> get_table(Exchange& exchange);
Result<Answer> list_files(Exchange& exchange);
Result<Answer> rollback_table(Exchange& exchange);
Result<Answer> list_buckets(Exchange& exchange);
Result<Answer> create_bucket(Exchange& exchange);
Result<Answer> delete_bucket(Exchange& exchange);
Result<Answer> list_objects(Exchange& exchange);
Result<Answer> get_object(Exchange& exchange);
Result<Answer> preview_object(Exchange& exchange);
Result<Answer> tag_object(Exchange& exchange);
Result<Answer> remove_objects(Exchange& exchange);
Result<Answer> share_object(Exchange& exchange);
Async<Status> download_object(Exchange& exchange, http::Request& request, http::Response& response,
                              const std::function<bool()>& stopping);
Async<Status> upload_object(Exchange& exchange, http::Request& request, http::Response& response,
                            const std::function<bool()>& stopping);
Result<Answer> start_upload(Exchange& exchange);
Result<Answer> list_parts(Exchange& exchange);
Async<Status> upload_part(Exchange& exchange, http::Request& request, http::Response& response,
                          const std::function<bool()>& stopping);
Result<Answer> finish_upload(Exchange& exchange);
Result<Answer> abort_upload(Exchange& exchange);
Result<Answer> list_brokers(Exchange& exchange);
Result<Answer> list_topics(Exchange& exchange);
Result<Answer> create_topic(Exchange& exchange);
Result<Answer> get_topic(Exchange& exchange);
Result<Answer> change_topic(Exchange& exchange);
Result<Answer> delete_topic(Exchange& exchange);
Result<Answer> purge_topic(Exchange& exchange);
Result<Answer> list_messages(Exchange& exchange);
Async<Status> stream_messages(Exchange& exchange, http::Request& request, http::Response& response,
                              const std::function<bool()>& stopping);
Result<Answer> get_message(Exchange& exchange);
Result<Answer> produce_message(Exchange& exchange);
Result<Answer> list_decoders(Exchange& exchange);
Result<Answer> add_decoder(Exchange& exchange);
Result<Answer> remove_decoder(Exchange& exchange);
Result<Answer> list_groups(Exchange& exchange);
Result<Answer> get_group(Exchange& exchange);
Result<Answer> delete_group(Exchange& exchange);
Result<Answer> reset_offsets(Exchange& exchange);
Result<Answer> list_jobs(Exchange& exchange);
Result<Answer> run_script(Exchange& exchange);
Result<Answer> preview_job(Exchange& exchange);
Result<Answer> get_job(Exchange& exchange);
Result<Answer> pause_job(Exchange& exchange);
Result<Answer> resume_job(Exchange& exchange);
Result<Answer> stop_job(Exchange& exchange);
Result<Answer> list_letters(Exchange& exchange);
Result<Answer> replay_letters(Exchange& exchange);
Result<Answer> get_config(Exchange& exchange);
Result<Answer> get_access_rules(Exchange& exchange);
Result<Answer> list_users(Exchange& exchange);
Result<Answer> change_user(Exchange& exchange);
Result<Answer> remove_user(Exchange& exchange);
Result<Answer> add_access_key(Exchange& exchange);
Result<Answer> remove_access_key(Exchange& exchange);
Result<Answer> get_metrics(Exchange& exchange);
Result<Answer> get_logs(Exchange& exchange);
Result<Answer> get_audit(Exchange& exchange);

}  // namespace aichemy::serve::console
