# What a central algorithm does at its proxy, as a published client does it.
token=$(cat token)
proxy=http://127.0.0.1
until wget -qO /tmp/version $proxy/version; do sleep 0.2; done

ask() { wget -qO- --header "Authorization: Bearer $token" "$@"; }
number() { sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }

claims=$(echo "$token" | cut -d. -f2 | tr _- /+ | sed 's/$/==/' | base64 -d 2>/dev/null || true)
collaboration=$(echo "$claims" | number collaboration_id)
image=$(echo "$claims" | sed 's/.*"image":"\([^"]*\)".*/\1/')
input=$(echo -n '{"method":"partial"}' | base64 -w0)
list="$proxy/organization?collaboration_id=$collaboration&page=1&per_page=1"
for id in $(ask "$list" | tr '{' '\n' | sed -n 's/^"id":\([0-9]*\),"name".*/\1/p'); do
  organizations="$organizations$comma{\"id\":$id,\"input\":\"$input\"}"
  comma=,
done
body="{\"name\":\"sub\",\"image\":\"$image\",\"collaboration_id\":$collaboration,\"organizations\":[$organizations],\"databases\":[{\"label\":\"default\"}]}"
echo "body: $body"
task=$(ask --post-data "$body" $proxy/task | tr ',' '\n' | sed -n 's/^{"id":\([0-9]*\)$/\1/p')
echo "status: $(ask $proxy/task/$task/status)"
echo "without a token: $(wget -qO- "$proxy/result?task_id=$task" 2>&1)"
echo "another path: $(ask $proxy/user 2>&1)"
echo "blobs: $(ask $proxy/blobstream/status)"
ask "$proxy/result?task_id=$task&page=1" > output
