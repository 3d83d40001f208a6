import pytest
from tests.factories import *
T='template "t" { type: transactional subject: "Hi {{ firstName }}" from: "Ada <ada@acme.test>" body: "<p>x</p>" }\n'
def dep(api, body, head='on event "go" reentry always '):
    a=api.post("/flows/deploy", {"files":{"a.flow":T+'workflow "A" { '+head+body+' }'}})
    print("DEPLOY",a.status_code,a.text[:250]); return a
@pytest.mark.parametrize("d",["999999999999 weeks","200000 weeks","1.5 seconds"])
def test_reentry(api,d):
    try: dep(api,"subscribe",f'on event "go" reentry after {d} ')
    except BaseException as e: print("DEXC",repr(e)[:200]); return
    for _ in range(2):
        try:
            r=api.post("/v1/track",{"event":"go","email":"a@b.test"}); print("TRACK",r.status_code,r.text[:200])
        except BaseException as e: print("EXC",repr(e)[:200])
@pytest.mark.parametrize("b",['send email "t" to "nobody"','send email "t" { from: "Me <me@acme.test>" }','send email "t" to "x@y.test" {subject: lower("HI {{ email }}")}','update contact { email: "new@x.test", a: 1 }','webhook POST "https://a.b/x" { body: {} }','if crm.status is set { exit "bound" } if event.x { webhook POST "https://a.b" as crm } if crm.status == 7 { exit "contact data" }', 'update contact { a: "x" + 1 }','if contact.data.a + 1 > 2 { exit }','exit ""','wait 0.00000001 seconds exit', 'webhook GET "nonsense://{{ email }}" exit','webhook GET "https://{{ nothing }}/" exit', 'send email "t" { subject: "" }','send email "t" { subject: "{{ oops" }','if round(event.n, 20) == 1 { exit }','if contact.data.a ?? 0 == 0 { exit "zero" }','if event.n == 1.0 { exit "one" }','if contact.data contains "a" { exit "c" }', 'webhook POST "https://a.b/x" as crm if crm.ok { update contact { b: crm.body.ok, s: crm.status } exit }'])
def test_run(api,machine,b):
    b=b.replace('if crm.status is set { exit "bound" } ','')
    if dep(api,b).status_code!=200: return
    track(api,data={"crm":{"status":7},"n":1})
    machine.settle()
    f=api.get("/workflows").json["data"][0]
    r=only_run(api,f); print(b); print(r["status"],r["exitReason"],[(s["step"]["type"],s["status"],s.get("error"),s.get("output")) for s in r["stepExecutions"]][1:])
    print("MAIL",[(m.subject,m.to if hasattr(m,'to') else m) for m in machine.mail.messages]); print("HOOK",[ (q.url,q.body) for q in machine.hooks.requests])
    print("EMAILS",[ (e.get('status'),e.get('error')) for e in (api.get('/emails').json or {}).get('data',[])] if api.get('/emails').status_code==200 else None)
