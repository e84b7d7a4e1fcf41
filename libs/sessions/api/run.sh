#!/bin/sh
# Holds what the built package declares to the reports beside this file; with --local, writes the reports.
for entry in index context graphql platform-socket.io platform-ws swagger testing; do
  api-extractor run -c "libs/sessions/api/$entry.json" "$@" || exit 1
done
