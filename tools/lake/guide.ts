// What `npm run lake` says when all is up: the two commands of examples/lake/README.md, with the
// addresses of this lake.

/** `url`: of the ingress. */
export function formatLakeSuggestions(url: string, weatherUrl: string): string {
  return `  The writer fetches a table of the weather since 1995:

curl -i -H "Content-Type: application/json" "${url}/w/q/" -d@-<<EOF
{"query": "
  CREATE EXTERNAL TABLE cambridge_weather (
    timestamp TIMESTAMP, temp_c_10 INT NULL, humidity_perc INT NULL, dew_point_c_10 INT NULL,
    pressure_mbar INT NULL, mean_wind_speed_knots_10 INT NULL,
    average_wind_bearing_degrees INT NULL, sunshine_hours_100 INT, rainfall_mm_1000 INT,
    max_wind_speed_knots_10 INT NULL
  )
  STORED AS CSV
  LOCATION '${weatherUrl}';

  CREATE TABLE cambridge_weather AS SELECT * FROM staging.cambridge_weather
"}
EOF

  The readers know it at once:

curl -i -H "Content-Type: application/json" "${url}/q" -d@-<<EOF
{"query": "
 SELECT date_trunc('month', timestamp) AS month, AVG(temp_c_10 * 0.1) AS avg_temp,
   MIN(temp_c_10 * 0.1) AS min_temp, MAX(temp_c_10 * 0.1) AS max_temp
 FROM cambridge_weather GROUP BY 1 ORDER BY 1 DESC LIMIT 12
"}
EOF`;
}
