# What a central algorithm does at its proxy with payloads that are large, as a published client does it.
token=$(cat token)
proxy=http://127.0.0.1
size=$(sed 's/.*"size":\([0-9]*\).*/\1/' input)
until wget -qO /tmp/version $proxy/version; do sleep 0.2; done

ask() { wget -qO- --header "Authorization: Bearer $token" "$@"; }
number() { sed "s/.*\"$1\":\([0-9]*\).*/\1/"; }
text() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }

claims=$(echo "$token" | cut -d. -f2 | tr _- /+ | sed 's/$/==/' | base64 -d 2>/dev/null || true)
collaboration=$(echo "$claims" | number collaboration_id)
organization=$(echo "$claims" | number organization_id)
image=$(echo "$claims" | sed 's/.*"image":"\([^"]*\)".*/\1/')
key=$(ask $proxy/organization/$organization | grep -o '"public_key":"[^"]*"' | text public_key)
echo "enabled: $(ask $proxy/blobstream/status)"
{
  printf '{"method":"big","kwargs":{"bytes":%s,"ignored":"' $size
  head -c $size /dev/zero | tr '\0' y
  printf '"}}'
} > sent
blob=$(ask --header "X-Public-Key: $key" --header "Content-Type: application/octet-stream" \
  --post-file sent $proxy/blobstream | text uuid)
rm sent
body="{\"name\":\"sub\",\"image\":\"$image\",\"collaboration_id\":$collaboration,\"organizations\":[{\"id\":$organization,\"input\":\"$blob\"}],\"databases\":[{\"label\":\"default\"}]}"
task=$(ask --post-data "$body" $proxy/task | tr ',' '\n' | sed -n 's/^{"id":\([0-9]*\)$/\1/p')
echo "status: $(ask $proxy/task/$task/status)"
results=$(ask "$proxy/result?task_id=$task&page=1")
echo "results: $results"
ask $proxy/blobstream/$(echo "$results" | text result) > received
printf '{"bytes":%s,"sha256":"%s"}' $(wc -c < received) $(sha256sum received | cut -d' ' -f1) > output
rm received
