"""A small region's fact tables, for tests: one railway, one metro, three towns, two roads.

`texts()` returns new ones each time; `changed` replaces a part of one table's text.
"""

SOURCES = """source_id,title,publisher,year,address
press,A report,A newspaper,2020,https://example.org/report
own,General knowledge,This test,2020,
"""
CITIES = """# People counted in 2020.
city_id,name_zh,name_en,lon,lat,place_by,population,population_by
100000,甲市,Alpha,117.00,39.00,own 2020 low,900,press 2020 high
200000,乙市,Beta,117.50,39.00,own 2020 low,300,press 2020 high
"""
COUNTIES = """county_id,name_zh,name_en,city_id,lon,lat,place_by,population,population_by
100001,东区,East District,100000,117.01,39.00,own 2020 low,600,press 2020 high
100002,西区,,100000,116.99,39.00,own 2020 low,200,press 2020 high
100071,开发区,,100000,,,,100,press 2020 high
200001,乙县,Beta County,200000,117.50,39.00,own 2020 low,300,press 2020 high
"""
SYSTEMS = """system_id,name_zh,name_en,mode,address
railway,铁路,Railway,rail,https://example.org/rail
metro,地铁,Metro,metro,https://example.org/metro
"""
STATIONS = """station_id,system_id,name_zh,name_en,lon,lat,place_by
a,railway,甲站,Alpha,117.00,39.00,press 2020 high
m,railway,中站,Middle,117.25,39.00,press 2020 high
b,railway,乙站,Beta,117.50,39.00,press 2020 high
n,railway,新站,New,117.75,39.00,press 2020 high
m1,metro,一站,,117.00,39.00,own 2020 low
m2,metro,二站,,117.01,39.00,own 2020 low
m3,metro,三站,,117.03,39.00,own 2020 low
m4,metro,四站,,117.04,39.00,own 2020 low
"""
LINES = """line_id,system_id,name_zh,name_en,opened,opened_by,length_km,length_km_by,\
design_kmh,design_kmh_by
ab,railway,甲乙线,Alpha–Beta,2010-05-01,press 2010 medium,45,press 2010 medium,350,press 2010 medium
bn,railway,乙新线,Beta–New,2020-12-30,press 2020 medium,,,250,press 2020 medium
loop,metro,一号线,Line 1,2012,own 2012 low,,,,
"""
LINE_STOPS = """line_id,station_id,opened,opened_by,track_opened,track_opened_by
ab,a,,,,
ab,m,2015-06,press 2015 medium,2010-05-01,press 2010 medium
ab,b,,,2010-05-01,press 2010 medium
bn,b,,,,
bn,n,,,,
loop,m1,,,,
loop,m2,,,,
loop,m3,2018,own 2018 low,,
loop,m4,2018,own 2018 low,,
"""
SERVICES = """service_id,line_ids,calls,minutes,minutes_by,dwell_s,dwell_s_by,\
runs_from,runs_from_by,runs_until,runs_until_by
ab-fast,ab,a b,0 20,press 2016 high,,,,,,
ab-stops,ab,a m b,0 ? 26,press 2016 medium,120,press 2016 high,,,,
an,ab bn,a b n,0 20 35,press 2021 medium,60,press 2021 medium,,,,
ab-later,ab,a b,0 18,press 2022 low,,,2022-01-01,press 2022 medium,2023-01-01,press 2023 low
ab-unknown,ab,a m,,,,,,,,
ab-idle,ab,a m,0 12,press 2016 high,,,,,,
ab-once,ab,a m,0 12,press 2016 high,,,,,,
loop-all,loop,*,0 10,own 2020 low,30,own 2020 low,,,,
"""
FREQUENCIES = """service_id,start,end,trains,headway_min,frequency_by
ab-fast,06:00,22:00,16,,press 2016 high
ab-stops,06:00,22:00,8,,press 2016 high
an,07:00,21:00,7,,press 2021 medium
ab-later,07:00,21:00,7,,press 2022 medium
ab-unknown,07:00,21:00,7,,press 2022 medium
ab-once,07:00,21:00,1,,press 2016 medium
loop-all,07:00,09:00,,3,own 2020 low
loop-all,09:00,23:00,,7.5,own 2020 low
"""
ROAD_NODES = """node_id,name_zh,name_en,lon,lat,place_by
na,甲,Alpha,117.00,39.00,own 2020 low
nb,乙,Beta,117.50,39.00,own 2020 low
nc,丙,Gamma,117.50,39.30,own 2020 low
"""
ROAD_EDGES = """edge_id,road,start,end,length_km,length_km_by,\
design_kmh,design_kmh_by,opened,opened_by
r1,G1,na,nb,50,press 2000 medium,100,press 2000 medium,2000,own 2000 low
r2,G2,nb,nc,35.5,own 2020 low,120,own 2020 low,2018-08-20,press 2018 medium
r3,G3,na,nc,,,120,own 2020 low,2000,own 2000 low
r4,G4,na,nc,70,own 2020 low,,,2000,own 2000 low
r5,G5,na,nc,70,own 2020 low,80,own 2020 low,,
"""


def texts() -> dict[str, str]:
    """Return all tables of the small region, by file name."""
    return {
        "cities.csv": CITIES,
        "counties.csv": COUNTIES,
        "frequencies.csv": FREQUENCIES,
        "line_stops.csv": LINE_STOPS,
        "lines.csv": LINES,
        "road_edges.csv": ROAD_EDGES,
        "road_nodes.csv": ROAD_NODES,
        "services.csv": SERVICES,
        "sources.csv": SOURCES,
        "stations.csv": STATIONS,
        "systems.csv": SYSTEMS,
    }


def changed(file: str, before: str, after: str) -> dict[str, str]:
    """Return the tables with a part of one replaced, which must be there once."""
    found = texts()
    assert found[file].count(before) == 1, f"{before!r} stands once in {file}"
    return found | {file: found[file].replace(before, after)}
