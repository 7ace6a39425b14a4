// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {HistoryReplay} from "../support/HistoryReplay.sol";
import {Rules} from "./Rules.sol";
import {Witness} from "./Witness.sol";
import {IssuerHandler} from "./handlers/IssuerHandler.sol";
import {RecoveryHandler} from "./handlers/RecoveryHandler.sol";
import {RelayHandler} from "./handlers/RelayHandler.sol";

/// @title A registry, another one, everybody who acts on them, and who watches
abstract contract Campaign {
    ICredentialRegistry internal _registry;
    ICredentialRegistry internal _other;
    HistoryReplay internal _history;
    Rules internal _rules;
    IssuerHandler internal _issuers;
    RecoveryHandler internal _keys;
    RelayHandler internal _relayers;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        vm.recordLogs();
        _registry = _deploy();
        _other = _deploy();
        _rules = Rules(vm.deployCode("Rules.sol:Rules", ""));
        Witness witness = Witness(vm.deployCode("Witness.sol:Witness", abi.encode(_registry, _rules)));
        _issuers =
            IssuerHandler(vm.deployCode("IssuerHandler.sol:IssuerHandler", abi.encode(_registry, _rules, witness)));
        _keys = RecoveryHandler(
            vm.deployCode("RecoveryHandler.sol:RecoveryHandler", abi.encode(_registry, _rules, witness))
        );
        _relayers = RelayHandler(
            vm.deployCode("RelayHandler.sol:RelayHandler", abi.encode(_registry, _other, _rules, witness))
        );
        _history = HistoryReplay(vm.deployCode("HistoryReplay.sol:HistoryReplay", abi.encode(_registry)));
    }

    /// @dev An auditor who has nothing but the events agrees with the registry, and with the ghosts.
    function _audit() internal {
        _history.take(vm.getRecordedLogs());
        _history.check();
        vm.assertEq(_history.keyCount(), _rules.keyCount(), "keys are not those added");
        vm.assertEq(_history.batchCount(), _rules.batchCount(), "anchorings are not those made");
        vm.assertEq(_history.statusCallCount(), _rules.statusCallCount(), "status calls are not those made");
        vm.assertEq(_history.batchRevocationCount(), _rules.batchRevocationCount(), "batch revocations");
    }

    function _deploy() private returns (ICredentialRegistry) {
        bytes memory arguments = abi.encode(address(0xad), address(0xacc0), 1 days);
        return ICredentialRegistry(vm.deployCode("CredentialRegistry.sol:CredentialRegistry", arguments));
    }
}
